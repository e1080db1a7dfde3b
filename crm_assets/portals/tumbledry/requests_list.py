"""The list of report requests, understood: which row is ours, and what has become of it. Opening pages is ``export.py``'s.

The list shows about 40 rows, its own and other people's, older ones of our very range among them. Only the status cell says how a
request stands: a range such as ``28 May 2026`` once passed for "28 minutes".
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Any, Self

from crm_assets.model import IST

COLUMNS = ("date range", "requested", "status")
MOMENTS = ("%d %b %Y %I:%M %p", "%d %b %Y, %I:%M %p", "%d %b %Y %H:%M")
LONG_AGO = datetime.min.replace(tzinfo=IST)
FAILED = re.compile(r"fail|expire|error|cancel|reject|unable", re.IGNORECASE)
UNDER_WAY = re.compile(r"process|progress|pending|queue|wait|prepar|generating|estimated", re.IGNORECASE)


class State(Enum):
    """How a request stands."""

    UNDER_WAY = "under way"
    READY = "ready"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One row. ``status`` is the portal's word, ``offers`` says whether something to download stands beside it."""

    range_text: str
    requested: str
    status: str
    offers: bool = False

    @property
    def moment(self) -> datetime | None:
        """``07 Jan 2026 01:55 PM``, in Kolkata; None for what is no such time."""
        for form in MOMENTS:
            try:
                return datetime.strptime(self.requested, form).replace(tzinfo=IST)
            except ValueError:
                continue
        return None

    @property
    def state(self) -> State:
        """A word that nobody knows is an end; no word at all is a row that is still being drawn."""
        if self.offers and not FAILED.search(self.status):
            return State.READY
        waits = not self.status or (UNDER_WAY.search(self.status) and not FAILED.search(self.status))
        return State.UNDER_WAY if waits else State.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRequest:
    """Which row is ours: its two texts, and how many older rows have the same two. ``asked_at`` (aware) goes to the ledger."""

    range_text: str
    requested: str
    older: int
    asked_at: datetime
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestList:
    """The list at one moment. ``rows`` are newest first, whichever way the page shows them; ``seen`` is the page's own table."""

    rows: tuple[RequestRow, ...]
    newest_first: bool
    seen: list[Any]

    @classmethod
    def of(cls, table: list[list[dict[str, Any]]]) -> Self:
        """The table of ``pages.TABLE``; rows that lack a cell, such as "no requests yet", are none."""
        rows = tuple(_rows(table))
        times = [row.moment for row in rows if row.moment]
        newest_first = not any(one < other for one, other in pairwise(times)) or times[0] > times[-1]
        as_shown = rows if newest_first else rows[::-1]
        by_time = sorted(as_shown, key=lambda row: row.moment or LONG_AGO, reverse=True)
        return cls(rows=tuple(by_time), newest_first=newest_first, seen=table)

    def same(self, range_text: str, requested: str) -> list[RequestRow]:
        return [row for row in self.rows if (row.range_text, row.requested) == (range_text, requested)]

    def newcomer(
        self, before: "RequestList", range_text: str, asked: datetime, not_before: datetime
    ) -> OwnRequest | None:
        """Our request, which ``before`` did not hold: on top of its range, and one more of its minute than there was.

        The number of rows of the range alone would not tell: an older one may have fallen off the end. Nor may ours be older than
        what stood in the list, should one come back from there: both times are the portal's. Only where nothing stood is our own
        clock asked, with ``not_before``.
        """
        top = next((row for row in self.rows if row.range_text == range_text), None)
        oldest_possible = max((row.moment for row in before.rows if row.moment), default=not_before)
        if top is None or top.moment is None or top.moment < oldest_possible:
            return None
        now, then = len(self.same(range_text, top.requested)), len(before.same(range_text, top.requested))
        return _own(top, now - 1, asked) if now > then else None

    def standing(self, range_text: str, requested_at: datetime) -> OwnRequest | None:
        """An earlier request of ours, by its minute, if it is not over."""
        minute = requested_at.astimezone(IST).replace(second=0, microsecond=0)
        same = [row for row in self.rows if row.range_text == range_text and row.moment == minute]
        alive = [at for at, row in enumerate(same) if row.state is not State.ENDED]
        return _own(same[alive[0]], len(same) - 1 - alive[0], requested_at) if alive else None

    def row_of(self, own: OwnRequest) -> RequestRow | None:
        """Our row, while the list shows it."""
        same = self.same(own.range_text, own.requested)
        return same[-1 - own.older] if own.older < len(same) else None

    def place_of(self, own: OwnRequest) -> int:
        """Where our row stands among those of the same texts, in the page's order."""
        return len(self.same(own.range_text, own.requested)) - 1 - own.older if self.newest_first else own.older


def _own(row: RequestRow, older: int, asked: datetime) -> OwnRequest:
    return OwnRequest(
        range_text=row.range_text,
        requested=row.requested,
        older=older,
        asked_at=asked,
        requested_at=row.moment or asked,
    )


def _rows(table: Iterable[Sequence[dict[str, Any]]]) -> Iterable[RequestRow]:
    """The rows below the header that names the three columns; where it names others, they are the second to the fourth."""
    places = (1, 2, 3)
    for cells in table:
        names = [str(cell["text"]).casefold() for cell in cells]
        if "requested" in names:
            places = tuple(map(names.index, COLUMNS)) if set(COLUMNS) <= set(names) else places  # type: ignore[assignment]
        elif len(cells) > max(places):
            days, requested, status = (cells[place] for place in places)
            yield RequestRow(
                range_text=days["text"], requested=requested["text"], status=status["text"], offers=status["link"]
            )
