"""What can be chosen when a sandbox starts. Bad days are switched on later: see ``faults``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from crm_assets.sandbox.pace import PaceName


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """``ports`` are taken as given; others are remembered in ``state_dir``, or chosen by the system.

    ``td_sessions``: whether a stored TumbleDry session is honoured when a browser comes back with it (it hardly ever is).
    ``td_login_error``: what a wrong TumbleDry password is told; "silent" shows the form again and nothing else.
    ``td_direct_export``: the report page has an Export button of its own.
    ``td_list_refreshes``: whether the list of report requests shows what is new by itself, or only when it is opened anew.
    ``uc_session``: where the UClean panel keeps its token: in localStorage, only in sessionStorage, or only in IndexedDB.
    ``uc_generate_gst``: what the generateGST call answers with.
    ``first_day``: what ``stores.yaml`` says; 120 days ago when not told.
    """

    pace: PaceName = "instant"
    seed: str = "demo"
    state_dir: Path | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    first_day: date | None = None
    td_sessions: Literal["dropped", "kept"] = "dropped"
    td_login_error: Literal["label", "silent"] = "label"
    td_direct_export: bool = False
    td_list_refreshes: bool = True
    uc_session: Literal["local", "session", "indexed"] = "local"
    uc_generate_gst: Literal["json", "workbook"] = "json"
