"""The demo: the whole pipeline on the sandbox portals and an embedded PostgreSQL, in a folder of its own.

It uses the same settings, runs and commands as the real thing; only the store list and the logins are the sandbox's. Nothing
of the environment's own CRM settings is used, so that a demo never touches a real warehouse.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

from crm_assets.errors import ConfigurationError
from crm_assets.files import write_whole
from crm_assets.model import Window, business_day, system_clock
from crm_assets.pipeline.launch import Task
from crm_assets.pipeline.reports import sources
from crm_assets.sandbox import Sandbox, SandboxOptions
from crm_assets.settings import PROJECT_ROOT, Settings, load_settings

DAYS = 14
ENV_FILE = "crm.env"


@contextmanager
def sandbox_installation(pace: Literal["real", "instant"], *, name: str = "demo") -> Iterator[tuple[Settings, Sandbox]]:
    """The sandbox portals, served, and the settings of an installation that uses them.

    The folder ``.local/<name>`` keeps ports, database and sessions, so that a second start finds them.
    Raises ConfigurationError when another process uses the folder.
    """
    place = PROJECT_ROOT / ".local" / name
    place.mkdir(parents=True, exist_ok=True)
    options = SandboxOptions(pace=pace, seed="demo", state_dir=place / "sandbox")
    with _alone(place), Sandbox(options) as sandbox:
        write_whole(place / "stores.yaml", sandbox.stores_yaml().encode(), mode=0o644)
        write_whole(place / ENV_FILE, _env_lines(place, sandbox).encode(), mode=0o600)
        _use_only(place / ENV_FILE)
        yield load_settings(), sandbox


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process per folder: a second one would move the first one's portals to other ports."""
    with (place / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"{place} is in use: another demo or sandbox runs in this checkout. End it first"
            ) from None
        yield


def last_days(settings: Settings, days: int = DAYS) -> list[Task]:
    """One task per store and report: the last days up to today."""
    today = business_day(system_clock)
    window = Window(first=today - timedelta(days=days - 1), last=today)
    return [
        Task(store=store, report=source.report, window=window)
        for source in sources(settings)
        for store in settings.stores(source.crm_code)
    ]


def _env_lines(place: Path, sandbox: Sandbox) -> str:
    """The demo's env file: usable by hand, ``CRM_ENV_FILE=.local/demo/crm.env crm_download ...``."""
    settings = {
        "CRM_STORES_FILE": place / "stores.yaml",
        "CRM_PROFILES_DIR": place / "profiles",
        "CRM_DOWNLOADS_DIR": place / "downloads",
        "CRM_DIGESTS_DIR": place / "digests",
        "CRM_LOCAL_DIR": place,
        **sandbox.secrets(),
    }
    return "".join(f"{name}='{value}'\n" for name, value in settings.items())


def _use_only(env_file: Path) -> None:
    """Drop the environment's own settings of this project and of Dagster's home, and name the demo's file instead."""
    for name in [name for name in os.environ if name.startswith("CRM_") or name == "DAGSTER_HOME"]:
        if name not in ("CRM_BROWSER_PATH", "CRM_BROWSER_CHANNEL"):
            del os.environ[name]
    os.environ["CRM_ENV_FILE"] = str(env_file)
