"""The report requests of a store: those just asked for, and the history that already stands in the list.

Other people ask for reports too: every night and a few times a day the same ranges are asked for again, so an older row of
our own range is always there, with an older file behind it. Rows as pages show them are made in ``reports``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count, islice

from crm_assets.model import IST, Window
from crm_assets.sandbox.pace import Pace
from crm_assets.sandbox.stores import SandboxStore

SHOWN = 40
"""How many rows the list holds."""

PROCESSING, DOWNLOAD = "Processing, Estimated Time 0m 0s", "Download"

_NIGHTLY = ((0, 0), (1, 1), (13, 0), (14, 0), (30, 0), (34, 0), (35, 0))
_DAILY = ((0, 0), (34, 0))
"""Ranges asked for again and again: first and last day, counted back from the day of asking."""

_HOURS = (
    (time(18, 4), _DAILY),
    (time(15, 4), _DAILY),
    (time(12, 4), _DAILY),
    (time(9, 4), _DAILY),
    (time(0, 1), _NIGHTLY),
)


@dataclass(slots=True, kw_only=True)
class ReportRequest:
    """A request in the list. It ends, ``ends_as`` says how, when its time is over *and* it was seen as processing once."""

    window: Window
    requested_at: datetime
    ready_after: float = 0.0
    seen_processing: bool = True
    ends_as: str = DOWNLOAD


class RequestDesk:
    """Takes requests and lists them, newest first."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._asked: dict[SandboxStore, list[ReportRequest]] = {}

    def ask(self, store: SandboxStore, window: Window, now: datetime, *, ends_as: str = DOWNLOAD) -> None:
        request = ReportRequest(
            window=window,
            requested_at=now,
            ready_after=self._pace.deadline("generation", str(store)),
            seen_processing=False,
            ends_as=ends_as,
        )
        self._asked.setdefault(store, []).insert(0, request)

    def listed(self, store: SandboxStore, now: datetime, *, stuck: bool = False) -> list[tuple[ReportRequest, str]]:
        """The newest requests and each one's status; looking counts as seeing it processing. A stuck desk ends none."""
        history = islice(_history(now), SHOWN)
        both = sorted([*self._asked.get(store, []), *history], key=lambda each: each.requested_at, reverse=True)
        return [(request, self._status(request, stuck)) for request in both[:SHOWN]]

    def _status(self, request: ReportRequest, stuck: bool) -> str:
        over = request.seen_processing and self._pace.is_past(request.ready_after)
        request.seen_processing = True
        waits = stuck and request.ready_after > 0  # what stood in the list before us is over
        return request.ends_as if over and not waits else PROCESSING


def _history(now: datetime) -> Iterator[ReportRequest]:
    """What stood in the list before us, newest first, without end."""
    for back in count():
        day = now.date() - timedelta(days=back)
        for hour, ranges in _HOURS:
            asked_at = datetime.combine(day, hour, tzinfo=IST)
            if asked_at <= now:
                yield from (ReportRequest(window=_window(day, *spread), requested_at=asked_at) for spread in ranges)


def _window(day: date, first_back: int, last_back: int) -> Window:
    return Window(first=day - timedelta(days=first_back), last=day - timedelta(days=last_back))
