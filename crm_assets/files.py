"""Files: written whole or not at all, and the room there is for them. What is written, and where, belongs to the rooms above."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from crm_assets.errors import DiskFull

MEGABYTE = 1_000_000


def write_whole(path: Path, content: bytes, *, mode: int) -> None:
    """Write beside, flush to the disk, rename: a reader sees the old file or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def standing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: where it will be made."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def by_device(folders: Iterable[Path]) -> list[list[Path]]:
    """The folders, those of one device together, whether they are there yet or not."""
    devices: dict[int, list[Path]] = {}
    for folder in folders:
        devices.setdefault(standing(folder).stat().st_dev, []).append(folder)
    return list(devices.values())


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def require_room(folders: Iterable[Path], *, megabytes: int) -> None:
    """Raises DiskFull for the first device of these folders that has less room."""
    for together in by_device(folders):
        free = free_bytes(standing(together[0]))
        if free < megabytes * MEGABYTE:
            raise DiskFull(
                f"expected at least {megabytes} MB free on the disk of {', '.join(map(str, together))}, "
                f"found {free // MEGABYTE} MB. Nothing was begun. Make room there, also by: crm_download tidy; or lower "
                "CRM_MIN_FREE_MB"
            )
