"""The little that outlives a restart, in one JSON file: each origin's port, and which sessions and devices are over.

Without a folder nothing is written and nothing survives. Requests and counts are not kept.
"""

import json
from pathlib import Path
from typing import TypedDict


class Remembered(TypedDict):
    ports: dict[str, int]
    generations: dict[str, int]
    devices: dict[str, int]


class Memory:
    """``ports`` by origin; by account, how often its sessions were ended (``generations``) and its devices forgotten."""

    def __init__(self, folder: Path | None) -> None:
        self._file = folder / "sandbox.json" if folder else None
        self._content = self._read()

    @property
    def ports(self) -> dict[str, int]:
        return self._content["ports"]

    @property
    def generations(self) -> dict[str, int]:
        return self._content["generations"]

    @property
    def devices(self) -> dict[str, int]:
        return self._content["devices"]

    def save(self) -> None:
        """Write beside, then rename: a reader never sees half a file."""
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(self._content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        beside.replace(self._file)

    def _read(self) -> Remembered:
        content = Remembered(ports={}, generations={}, devices={})
        if self._file and self._file.exists():
            content.update(json.loads(self._file.read_text(encoding="utf-8")))
        return content
