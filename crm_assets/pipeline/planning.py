"""Planning: which wants are asked for at this moment, and which are left out for what reason.

Asked by the sensors and by ``crm_download refresh`` alike. What stores want belongs to ``wants.py``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from crm_assets.model import Purpose
from crm_assets.pipeline.attempts import tries_of, under_way
from crm_assets.pipeline.reports import Source, sources_of
from crm_assets.pipeline.wants import (
    LeftOut,
    Tries,
    catch_up_wants,
    persons_awaited,
    refresh_wants,
    refresh_wants_at_once,
    settling_wants,
    unmet,
    why_not,
)
from crm_assets.settings import Settings
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.progress import Standing, Want

QUEUED_AT_ONCE = 40  # runs of one CRM and purpose that wait or work: the rest is asked for when some of them have ended
LOOKED_AT = 1000  # far more than are asked for: those that wait for their next try must not hide the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A want to start a run for, and how many there were before."""

    want: Want
    attempt: int

    @property
    def run_key(self) -> str:
        return f"{self.want.key}/{self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for now, and what is not."""

    asked: tuple[Asked, ...]
    left_out: tuple[LeftOut, ...]


def wants_of(conn: Connection, settings: Settings, source: Source, purpose: Purpose, now: datetime) -> list[Want]:
    """What every store of a report should have been asked for by now."""
    match purpose:
        case Purpose.REFRESH:
            return refresh_wants(settings, source, now)
        case Purpose.SETTLING:
            return settling_wants(settings, source, now)
        case Purpose.CATCH_UP:
            return catch_up_wants(conn, settings, source, now, LOOKED_AT)
        case _:
            raise ValueError(f"nobody plans {purpose}")


def plan(
    conn: Connection,
    settings: Settings,
    instance: dg.DagsterInstance,
    wants: Sequence[Want],
    now: datetime,
    *,
    at_once: int | None = QUEUED_AT_ONCE,
) -> Plan:
    """Choose among wants of one CRM and purpose: the unmet ones whose moment it is, one of a store at a time.

    None: as many as there are, for whoever does not come back soon to ask for the rest.
    """
    left_out, ready = _ready(conn, settings, wants, now)
    asked = list[Asked]()
    if ready:
        looked_at = ready[:LOOKED_AT]
        first = looked_at[0][0]
        places = len(looked_at) if at_once is None else at_once - under_way(instance, first.store.crm, first.purpose)
        tries = tries_of(instance, [want for want, _ in looked_at], now)
        busy = {(str(want.store), want.report.name) for want, _ in looked_at if tries[want.key].under_way}
        for want, standing in looked_at:
            so_far = tries[want.key]
            if reason := why_not(want, standing, so_far, now):
                left_out.append(reason)
            elif (str(want.store), want.report.name) not in busy and len(asked) < places:
                busy.add((str(want.store), want.report.name))
                asked.append(Asked(want=want, attempt=so_far.runs + 1))
    return Plan(asked=tuple(asked), left_out=tuple(left_out))


def due_now(
    conn: Connection,
    settings: Settings,
    instance: dg.DagsterInstance,
    crm: str,
    now: datetime,
    *,
    refreshed_since: datetime,
) -> Plan:
    """All that is due for a CRM at this moment, whatever the slots are: a refresh that nobody has made since, settling, and
    missing days, at most one of each for a store.
    """
    plans = list[Plan]()
    for source in sources_of(settings, crm):
        for purpose in (Purpose.REFRESH, Purpose.SETTLING, Purpose.CATCH_UP):
            if purpose is Purpose.REFRESH:
                wants = refresh_wants_at_once(settings, source, now, refreshed_since)
            else:
                wants = wants_of(conn, settings, source, purpose, now)
            plans.append(plan(conn, settings, instance, wants, now, at_once=None))
    return Plan(
        asked=tuple(asked for one in plans for asked in one.asked),
        left_out=tuple(left for one in plans for left in one.left_out),
    )


def _ready(
    conn: Connection, settings: Settings, wants: Sequence[Want], now: datetime
) -> tuple[list[LeftOut], list[tuple[Want, Standing]]]:
    """What the ledger and the accounts leave over."""
    left_out, ready = list[LeftOut](), list[tuple[Want, Standing]]()
    awaited = persons_awaited(conn, settings)
    for want, standing in unmet(conn, wants, now):
        if sentence := awaited.get(str(want.store)):
            left_out.append(LeftOut(want=want, reason=sentence, person=True))
        elif reason := why_not(want, standing, Tries(), now):
            left_out.append(reason)
        else:
            ready.append((want, standing))
    return left_out, ready
