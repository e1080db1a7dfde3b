"""The disk: room for, and the right to write, raw files, sessions and what the scripts make."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from crm_assets.doctor.findings import Finding, green, red, yellow
from crm_assets.files import MEGABYTE, by_device, free_bytes, standing
from crm_assets.settings import Settings

SUBJECT = "disk"
YELLOW_BYTES = 2_000 * MEGABYTE


def look_at_disk(settings: Settings, free: Callable[[Path], int] = free_bytes) -> Iterator[Finding]:
    """Folders that cannot be written to, then the free space of every device that one of them is on.

    The temporary folder, which a browser's files go through, is told where it is on a device of its own.
    """
    folders = (settings.downloads_dir, settings.profiles_dir, settings.local_dir)
    for folder in folders:
        yield from _written(folder, standing(folder))
    for together in by_device((*folders, Path(tempfile.gettempdir()))):
        named = [folder for folder in together if folder in folders] or together
        yield _room(named, free(standing(named[0])), settings.env.min_free_mb * MEGABYTE)


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


def _room(folders: list[Path], free: int, needed: int) -> Finding:
    """Red where no download would begin."""
    name = ", ".join(folder.name for folder in folders)
    found = f"{free / MEGABYTE / 1000:.1f} GB are free" if free >= YELLOW_BYTES else f"{free // MEGABYTE} MB are free"
    advice = f"Make room on the disk of {folders[0]}: raw files and evidence of failures can go"
    if free < needed:
        return red(SUBJECT, name, found, advice)
    return yellow(SUBJECT, name, found, advice) if free < YELLOW_BYTES else green(SUBJECT, name, found)
