"""Landing: raw files appear whole under their canonical names, or not at all; and they go when they are no longer kept.

Opening them belongs to ``workbook``; remembering them to ``warehouse/ledger.py``.
"""

import hashlib
from datetime import datetime
from pathlib import Path

from crm_assets.files import write_whole
from crm_assets.model import IST, Report, Store, Window

REFUSED_FOLDER = "refused"


def canonical_name(report: Report, store: Store, window: Window) -> str:
    """``TD_OrderReport_KirtiNagar_2025-11-12_to_2025-11-12.xlsx``."""
    return f"{report.file_prefix}_{store.file_name_part}_{window.first}_to_{window.last}.xlsx"


def land(scratch: Path, folder: Path, report: Report, store: Store, window: Window) -> Path:
    """Bring a finished file out of the session's scratch folder to its canonical place; a newer export replaces an older."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / canonical_name(report, store, window)
    write_whole(target, scratch.read_bytes(), mode=0o640)
    return target


def set_aside(file: Path, folder: Path, name: str, now: datetime) -> Path:
    """Keep a copy of a refused raw file where no later export of its window replaces it; returns its place."""
    refused = folder / REFUSED_FOLDER
    refused.mkdir(parents=True, exist_ok=True)
    target = refused / f"{now.astimezone(IST):%Y%m%d-%H%M%S}_{name}"
    write_whole(target, file.read_bytes(), mode=0o640)
    return target


def md5(file: Path) -> str:
    """The file's MD5 in hex: a fingerprint to recognise the same export by, not a protection."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def discard(file: Path) -> None:
    """Remove a raw file that is loaded and not kept."""
    file.unlink(missing_ok=True)
