"""Session store: one Playwright storage state per store account.

Paths, reading and whole-or-not-at-all writing. Signing in belongs to ``portals/<crm>/login.py``; whether a state is good enough
to be saved is decided by who probed it.
"""

import json
from pathlib import Path
from typing import Any, cast

from crm_assets.errors import ConfigurationError
from crm_assets.files import write_whole
from crm_assets.model import Store


def profile_path(folder: Path, store: Store) -> Path:
    """``profiles/td_a668.json``."""
    return folder / f"{store.crm}_{store.code}.json"


def load(folder: Path, store: Store) -> dict[str, Any] | None:
    """The saved storage state, or None before the first sign-in. Raises ConfigurationError when the file is not one."""
    path = profile_path(folder, store)
    if not path.exists():
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        state = None
    if not isinstance(state, dict) or not {"cookies", "origins"} <= state.keys():
        raise ConfigurationError(
            f"{store}: expected a Playwright storage state with cookies and origins, found something else in {path}. "
            f"Delete the file and run: crm_download bootstrap --crm {store.crm} --store {store.code}"
        )
    return cast(dict[str, Any], state)


def save(folder: Path, store: Store, state: Any) -> Path:
    """Write the state whole, readable by the owner alone; returns its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = profile_path(folder, store)
    write_whole(path, json.dumps(state, indent=1).encode(), mode=0o600)
    return path
