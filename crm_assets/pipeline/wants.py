"""Wants: what each store should have been asked for by now, and whether this is the moment to ask (again).

The rules, without Dagster: sensors, cron and the command line ask the same ones. What has come of earlier attempts is read from
the ledger (``warehouse/progress.py``) and from the runs (``pipeline/attempts.py``).
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm_assets.account import access_to, profiles_of
from crm_assets.errors import (
    BadReport,
    LoginMissing,
    NeedsPerson,
    PersonAwaited,
    codes_of,
    error_class,
    heals_by_itself,
    may_be_an_accident,
)
from crm_assets.model import IST, AccountState, Purpose, Store, Window
from crm_assets.pipeline.reports import Source
from crm_assets.settings import Settings
from crm_assets.slots import latest_slot, offset_of
from crm_assets.warehouse import sessions
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.progress import Hole, Standing, Want, holes, refused_windows, standings

REFRESH_DAYS = 2  # today, and yesterday, whose evening the last refresh did not see
FIRST_PAUSE = {Purpose.CATCH_UP: timedelta(minutes=15)}
LONGEST_PAUSE = {Purpose.CATCH_UP: timedelta(hours=24)}
A_SHORT_PAUSE, A_LONG_PAUSE = timedelta(minutes=2), timedelta(minutes=30)
ACCIDENTS = 3  # so often a file may come out wrong at one slot before a person looks at it
REMEMBERED = timedelta(days=30)  # failures to fetch a missing day that lie further back count no more
YESTERDAY_IS_LATE = timedelta(hours=1)  # after the day's first slot, which fetches yesterday, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """The runs that were started for a want: how many, whether one is under way, which ended badly and when the last of those."""

    runs: int = 0
    under_way: bool = False
    failed_run_ids: tuple[str, ...] = ()
    last_failed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A want that is not asked for now, and why. ``waits`` until then, when the reason goes by itself; or for a ``person``."""

    want: Want
    reason: str
    waits: datetime | None = None
    person: bool = False


def refresh_wants(settings: Settings, source: Source, now: datetime) -> list[Want]:
    """The day of its newest slot and the day before, of every store, since that slot. A new day begins with its first slot."""
    return [
        _want(store, source, _days_back(store, slot.date(), REFRESH_DAYS), Purpose.REFRESH, slot)
        for store, slot in _slots(settings, source, now)
        if slot and store.first_day <= slot.date()
    ]


def refresh_wants_at_once(settings: Settings, source: Source, now: datetime, since: datetime) -> list[Want]:
    """Today and yesterday of every store, whatever its slots are."""
    today = now.astimezone(IST).date()
    return [
        _want(store, source, _days_back(store, today, REFRESH_DAYS), Purpose.REFRESH, since)
        for store in settings.stores(source.crm_code)
        if store.first_day <= today
    ]


def settling_wants(settings: Settings, source: Source, now: datetime) -> list[Want]:
    """The weeks before its newest night, of every store, since that night."""
    stores, crm = settings.stores(source.crm_code), source.crm
    days = min(crm.settle_days, crm.max_window_days)
    return [
        _want(store, source, _days_back(store, last, days), Purpose.SETTLING, night)
        for place, store in enumerate(stores)
        if (night := latest_slot(now, [crm.settle_at], offset_of(place, len(stores), crm.spread_minutes)))
        and days
        and store.first_day <= (last := night.date() - timedelta(days=1))
    ]


def catch_up_wants(conn: Connection, settings: Settings, source: Source, now: datetime, most: int) -> list[Want]:
    """The missing days of every store in as few windows as the CRM allows, oldest first; at most of so many ranges.

    A window whose file was refused is asked for by halves, until the days at fault stand alone and the others are there.
    """
    since = now - REMEMBERED
    missing = holes(conn, source.report, settings.stores(source.crm_code), last_due_day(source, now), now, most)
    refused = refused_windows(conn, source.report, codes_of(BadReport), since) if missing else set()
    return [
        _want(store, source, window, Purpose.CATCH_UP, since)
        for hole in missing
        for store in [settings.store(source.crm_code, hole.store)]
        for window in windows_of(
            hole, source.crm.max_window_days, {found for code, found in refused if code == hole.store}
        )
    ]


def windows_of(hole: Hole, longest: int, refused: Set[Window]) -> Iterator[Window]:
    """The hole in windows of at most so many days. What is missing of a refused window is at fault: it is cut out and halved."""
    faulty = [
        Window(first=max(one.first, hole.first), last=min(one.last, hole.last))
        for one in refused
        if one.first <= hole.last and hole.first <= one.last
    ]
    for window in Window.joining(list(Window(first=hole.first, last=hole.last).days()), longest):
        yield from _halves(window, faulty)


def _halves(window: Window, faulty: Sequence[Window]) -> Iterator[Window]:
    """The window in parts, none of which holds a whole faulty window, unless that is one day."""
    inside = [one for one in faulty if one.first in window and one.last in window]
    if window.first == window.last or not inside:
        yield window
        return
    narrowest = min(inside, key=lambda one: one.last - one.first)
    if window.first < narrowest.first:
        cut = narrowest.first - timedelta(days=1)
    elif narrowest.last < window.last:
        cut = narrowest.last
    else:
        cut = window.first + (window.last - window.first) // 2
    yield from _halves(Window(first=window.first, last=cut), faulty)
    yield from _halves(Window(first=cut + timedelta(days=1), last=window.last), faulty)


def unmet(conn: Connection, wants: Sequence[Want], now: datetime) -> Iterator[tuple[Want, Standing]]:
    """The wants that nobody has met so far, with what came of them.

    A day that is missing stays so whatever was loaded of it, for instance while it lasted: what fills it ends the hole.
    """
    for want, standing in zip(wants, standings(conn, wants, now), strict=True):
        if want.purpose is Purpose.CATCH_UP or not standing.met:
            yield want, standing


def persons_awaited(conn: Connection, settings: Settings) -> Mapping[str, str]:
    """The stores whose account waits for a person, and the sentence that says so."""
    awaited, profiles = dict[str, str](), profiles_of(settings)
    for account in sessions.accounts(conn):
        crm = settings.crms.get(account.crm)
        if account.state is AccountState.NEEDS_PERSON and crm and account.store in crm.stores:
            store = settings.store(account.crm, account.store)
            try:
                access_to(store, account, profiles.digest(store))
            except PersonAwaited as error:
                awaited[str(store)] = str(error)
    return awaited


def why_not(want: Want, standing: Standing, tries: Tries, now: datetime) -> LeftOut | None:
    """Why the want of a store that waits for no person is not asked for at this moment; None when it is.

    Reads types of errors, never their texts.
    """
    if tries.under_way:
        return LeftOut(want=want, reason="a run is under way")
    code, failures, last = _failures(standing, tries)
    if not failures or last is None:
        return None
    # An account that no longer waits has had its person; a login that is merely missing never makes it wait.
    settled = issubclass(error_class(code), NeedsPerson) and not issubclass(error_class(code), LoginMissing)
    hopeless = not (heals_by_itself(code) or settled) or (may_be_an_accident(code) and failures >= ACCIDENTS)
    if want.purpose is not Purpose.CATCH_UP and hopeless:
        return LeftOut(want=want, reason=f"{code}: not tried again before the next slot")
    again = last + pause_after(want, failures)
    if again <= now or (standing.recovered and heals_by_itself(code)):
        return None
    return LeftOut(want=want, reason=f"{code}: tried again at {again.astimezone(IST):%d %b %H:%M}", waits=again)


def pause_after(want: Want, failures: int) -> timedelta:
    """How long to wait after so many failures: twice as long each time, up to a limit, a quarter more or less for each store."""
    first = FIRST_PAUSE.get(want.purpose, A_SHORT_PAUSE)
    longest = LONGEST_PAUSE.get(want.purpose, A_LONG_PAUSE)
    jitter = random.Random(f"{want.key} {failures}").uniform(0.75, 1.25)  # noqa: S311 - no secret
    return min(longest, first * (1 << min(failures - 1, 12))) * jitter


def _failures(standing: Standing, tries: Tries) -> tuple[str, int, datetime | None]:
    """The last error's code, how often it went wrong, and when last: attempts in the ledger, and runs that never got there."""
    silent = [run_id for run_id in tries.failed_run_ids if run_id not in standing.run_ids]
    times = [standing.last_failed_at, tries.last_failed_at if silent else None]
    code = standing.error_code or "the run ended before it began its work"
    return code, standing.failures + len(silent), max((at for at in times if at), default=None)


def _want(store: Store, source: Source, window: Window, purpose: Purpose, since: datetime) -> Want:
    return Want(store=store, report=source.report, window=window, purpose=purpose, since=since)


def _slots(settings: Settings, source: Source, now: datetime) -> Iterable[tuple[Store, datetime | None]]:
    stores = settings.stores(source.crm_code)
    for place, store in enumerate(stores):
        offset = offset_of(place, len(stores), source.crm.spread_minutes)
        slot = latest_slot(now, source.crm.slots_of(store.code), offset)
        # The whole minute: a portal tells no seconds of a request that is taken up again.
        yield store, slot.replace(second=0) if slot else None


def _days_back(store: Store, last: date, days: int) -> Window:
    return Window(first=max(store.first_day, last - timedelta(days=days - 1)), last=last)


def last_due_day(source: Source, now: datetime) -> date:
    """The newest day that must be there: yesterday, once the night and the morning's first slot had their chance to fetch it."""
    today = now.astimezone(IST).date()
    firsts = [min(slots) for store in source.crm.stores if (slots := source.crm.slots_of(store))]
    spread = timedelta(minutes=source.crm.spread_minutes)
    first = latest_slot(now - YESTERDAY_IS_LATE - spread, [max(firsts)] if firsts else [])
    is_late = first is None or first.date() == today
    return today - timedelta(days=1 if is_late else 2)
