"""The clock both portals share: it follows the machine's, with an offset, or stands still.

The business, the request list and every ``Requested`` read this clock. How long an answer takes is ``pace``'s.
"""

from datetime import date, datetime, timedelta

from crm_assets.model import IST, Clock, business_day, system_clock


class SandboxClock:
    """Callable like every other clock of the project; always aware, always in Kolkata."""

    def __init__(self, machine: Clock = system_clock) -> None:
        self._machine = machine
        self._offset = timedelta()
        self._standing_at: datetime | None = None

    def __call__(self) -> datetime:
        return self.now()

    def now(self) -> datetime:
        """The moment it is in the sandbox."""
        standing_at = self._standing_at
        return standing_at if standing_at is not None else self._machine().astimezone(IST) + self._offset

    def today(self) -> date:
        """The business day it is in the sandbox."""
        return business_day(self)

    @property
    def stands_still(self) -> bool:
        return self._standing_at is not None

    def set(self, moment: datetime) -> None:
        """Stop at a moment; a naive one is read as a time in Kolkata."""
        self._standing_at = moment.replace(tzinfo=IST) if moment.tzinfo is None else moment.astimezone(IST)

    def advance(self, delta: timedelta) -> None:
        """Move on, standing or running."""
        if self._standing_at is None:
            self._offset += delta
        else:
            self._standing_at += delta

    def run(self) -> None:
        """Go on from the moment it is now, at the machine's speed."""
        if self._standing_at is not None:
            self._offset = self._standing_at - self._machine().astimezone(IST)
            self._standing_at = None
