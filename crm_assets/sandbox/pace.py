"""How long things take: as in production, or no time at all. The one place of the sandbox that waits."""

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Literal

type PaceName = Literal["real", "instant"]

_SECONDS: Mapping[str, tuple[float, float]] = {
    "login": (1.4, 1.4),
    "page": (1.0, 4.0),
    "list": (0.1, 0.4),
    "request": (0.2, 0.8),
    "generation": (5.0, 90.0),
    "download": (0.3, 1.2),
    "export": (0.1, 0.9),
    "api": (0.05, 0.3),
}
_POLL_MILLISECONDS: Mapping[PaceName, int] = {"real": 5000, "instant": 150}


class Pace:
    """Waits of the measured length at ``real``, none at ``instant``."""

    def __init__(self, name: PaceName, seed: str) -> None:
        self.name = name
        self._chance = Random(f"{seed}/pace")  # noqa: S311

    @property
    def poll_milliseconds(self) -> int:
        """How often a page asks for its request list again."""
        return _POLL_MILLISECONDS[self.name]

    async def wait(self, what: str, extra_seconds: float = 0) -> None:
        await asyncio.sleep(self._seconds(what) + extra_seconds)

    def deadline(self, what: str) -> float:
        """When something begun now is done, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._seconds(what)

    def is_past(self, deadline: float) -> bool:
        return asyncio.get_running_loop().time() >= deadline

    def _seconds(self, what: str) -> float:
        return self._chance.uniform(*_SECONDS[what]) if self.name == "real" else 0.0
