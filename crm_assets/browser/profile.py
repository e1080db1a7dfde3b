"""A profile: what opens an account without a password, and its plain form, a Playwright storage state with a note of ours.

Values and their text. Files, permissions and seals belong to ``sessions.py``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_assets.browser.fingerprint import Fingerprint

NOTE = "crm_assets"
"""Our one key in a storage state; Playwright passes over it."""

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What opens an account without a password: Playwright's storage state, sessionStorage by origin, and who made it.

    ``saved_at`` is aware; it and the fingerprint are missing where Playwright itself or a person wrote the file.
    """

    state: Mapping[str, Any] = field(repr=False)
    session_storage: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    fingerprint: Fingerprint | None = None
    saved_at: datetime | None = None


class Damaged(Exception):
    """The content is not a profile, whoever's; a previous one may stand in for it."""


def plain_form(account: str, profile: Profile) -> bytes:
    """A storage state that Playwright takes as it is, with our note in it."""
    note = {
        "version": VERSION,
        "account": account,
        "saved_at": profile.saved_at.isoformat() if profile.saved_at else None,
        "fingerprint": profile.fingerprint.as_json() if profile.fingerprint else None,
        "session_storage": {origin: dict(items) for origin, items in profile.session_storage.items()},
    }
    return json.dumps({**profile.state, NOTE: note}, indent=1).encode()


def parsed(plain: bytes) -> tuple[str | None, Profile]:
    """The account a profile names, if it names one, and what it holds; ours or Playwright's own. Raises Damaged."""
    state = _object(plain)
    note = state.pop(NOTE, {})
    if not (isinstance(note, dict) and _is_list_of_objects(state, "cookies") and _is_list_of_objects(state, "origins")):
        raise Damaged
    return note.get("account"), Profile(
        state=state,
        session_storage=_session_storage(note.get("session_storage", {})),
        fingerprint=Fingerprint.from_json(note.get("fingerprint")),
        saved_at=_moment(note.get("saved_at")),
    )


def _object(plain: bytes) -> dict[str, Any]:
    try:
        value = json.loads(plain)
    except (ValueError, RecursionError):
        raise Damaged from None
    if not isinstance(value, dict):
        raise Damaged
    return value


def _is_list_of_objects(state: Mapping[str, Any], name: str) -> bool:
    value = state.get(name)
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _session_storage(value: object) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict) or not all(isinstance(items, dict) for items in value.values()):
        raise Damaged
    if not all(isinstance(text, str) for items in value.values() for text in items.values()):
        raise Damaged
    return value


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
