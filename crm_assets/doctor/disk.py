"""The disk: room for, and the right to write, raw files, sessions and what the scripts make."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from crm_assets.doctor.findings import Finding, green, red, yellow
from crm_assets.settings import Settings

SUBJECT = "disk"
MEGABYTE = 1_000_000
RED_BYTES, YELLOW_BYTES = 200 * MEGABYTE, 2_000 * MEGABYTE


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def look_at_disk(settings: Settings, free: Callable[[Path], int] = free_bytes) -> Iterator[Finding]:
    """Folders that cannot be written to, then the free space of every device that one of them is on."""
    devices: dict[int, list[Path]] = {}
    for folder in (settings.downloads_dir, settings.profiles_dir, settings.local_dir):
        there = _standing(folder)
        devices.setdefault(there.stat().st_dev, []).append(folder)
        yield from _written(folder, there)
    for folders in devices.values():
        yield _room(folders, free(_standing(folders[0])))


def _standing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: where it will be made."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _written(folder: Path, there: Path) -> Iterator[Finding]:
    """Really written to: a full or read-only device shows no other way."""
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"1")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        found = f"nothing can be written in {there}: {error.strerror}"
        yield red(SUBJECT, folder.name, found, "Let it be a folder of the user that runs this, with room on its disk")


def _room(folders: list[Path], free: int) -> Finding:
    name = ", ".join(folder.name for folder in folders)
    found = f"{free / MEGABYTE / 1000:.1f} GB are free" if free >= YELLOW_BYTES else f"{free // MEGABYTE} MB are free"
    advice = f"Make room on the disk of {folders[0]}: raw files and evidence of failures can go"
    if free < RED_BYTES:
        return red(SUBJECT, name, found, advice)
    return yellow(SUBJECT, name, found, advice) if free < YELLOW_BYTES else green(SUBJECT, name, found)
