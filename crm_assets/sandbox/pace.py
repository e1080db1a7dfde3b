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
    """Waits of the measured length at ``real``, none at ``instant``.

    Each kind of wait of each store is drawn from a sequence of its own: however often somebody looks at a list, the store's next
    report takes as long.
    """

    def __init__(self, name: PaceName, seed: str) -> None:
        self.name = name
        self._seed = seed
        self._chances: dict[tuple[str, str], Random] = {}

    @property
    def poll_milliseconds(self) -> int:
        """How often a page asks for its request list again."""
        return _POLL_MILLISECONDS[self.name]

    def begin_anew(self) -> None:
        """The next waits are the first ones again."""
        self._chances.clear()

    async def wait(self, what: str, who: str = "", extra_seconds: float = 0) -> None:
        await asyncio.sleep(self._seconds(what, who) + extra_seconds)

    def deadline(self, what: str, who: str = "") -> float:
        """When something begun now is done, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._seconds(what, who)

    def is_past(self, deadline: float) -> bool:
        return asyncio.get_running_loop().time() >= deadline

    def _seconds(self, what: str, who: str) -> float:
        if self.name == "instant":
            return 0.0
        chance = self._chances.setdefault((what, who), Random(f"{self._seed}/pace/{what}/{who}"))  # noqa: S311
        return chance.uniform(*_SECONDS[what])
