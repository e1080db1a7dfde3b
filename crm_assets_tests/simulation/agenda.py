"""The agenda: what is to be done at which moment, in order of time. The clock moves from one entry to the next."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from crm_assets.sandbox import SandboxClock

type Action = Callable[[], None]


@dataclass(slots=True, kw_only=True)
class Agenda:
    """``clock`` stands at the moment of the entry that is being done."""

    clock: SandboxClock
    _entries: list[tuple[datetime, int, Action]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=count)

    def at(self, moment: datetime, action: Action) -> None:
        """Do this at a moment; one that has passed is now."""
        heapq.heappush(self._entries, (max(moment, self.clock()), next(self._number), action))

    def after(self, delay: timedelta, action: Action) -> None:
        self.at(self.clock() + delay, action)

    def run_until(self, end: datetime) -> None:
        """Do everything up to a moment, and stop the clock there."""
        while self._entries and self._entries[0][0] <= end:
            moment, _, action = heapq.heappop(self._entries)
            self.clock.set(moment)
            action()
        self.clock.set(end)
