"""The outbox of the alerts: what was seen, what was told of it, and what is to be told now.

What the troubles are belongs to ``troubles.py``; the words and their delivery belong to ``crm_assets.pipeline.alerting``.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from crm_assets.errors import (
    BrowserMissing,
    ConfigurationError,
    DiskFull,
    PortalTrouble,
    WarehouseUnavailable,
    error_class,
)
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.troubles import Trouble

ONE_CAUSE = (PortalTrouble, ConfigurationError, WarehouseUnavailable, BrowserMissing, DiskFull)
"""Errors where one cause hits every store of a CRM: the store that comes to it later brings no news."""

STRAGGLERS = timedelta(hours=1)
"""So long the recovery from such a cause waits for the CRM's other stores, to be told once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One occurrence of a trouble as it is kept.

    ``tries``, ``next_try_at`` and ``last_delivery_error`` belong to the message at hand.
    """

    alert_id: int
    crm: str
    store: str
    code: str
    message: str
    evidence: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    times: int
    resolved_at: datetime | None
    told_at: datetime | None
    recovery_told_at: datetime | None
    tries: int
    next_try_at: datetime | None
    last_delivery_error: str | None

    @property
    def name(self) -> str:
        """``td/a668``, or the CRM alone, or nothing, where it concerns no store."""
        return f"{self.crm}/{self.store}" if self.store else self.crm

    @property
    def over(self) -> bool:
        return self.resolved_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What a look changed: troubles that began, and troubles that are over."""

    opened: int
    closed: int


COUNT = """
    UPDATE alert SET times = greatest(alert.times, given.times), last_seen_at = last_at, message = given.message,
        evidence = given.evidence
    FROM jsonb_to_recordset(%(troubles)s) AS given
        (crm text, store text, code text, message text, evidence text, last_at timestamptz, times integer)
    WHERE resolved_at IS NULL AND (alert.crm, alert.store, alert.code) = (given.crm, given.store, given.code)
        AND last_at > last_seen_at
"""
CLOSE = """
    UPDATE alert SET resolved_at = %(now)s
    WHERE resolved_at IS NULL AND (crm, store, code) NOT IN (
        SELECT crm, store, code FROM jsonb_to_recordset(%(troubles)s) AS given (crm text, store text, code text))
"""
OPEN = """
    INSERT INTO alert (crm, store, code, message, evidence, first_seen_at, last_seen_at, times)
    SELECT crm, store, code, message, evidence, since, last_at, times
    FROM jsonb_to_recordset(%(troubles)s) AS given
        (crm text, store text, code text, message text, evidence text, since timestamptz, last_at timestamptz, times integer)
    ON CONFLICT (crm, store, code) WHERE resolved_at IS NULL DO NOTHING
"""
# A store that comes to a cause which was told already: nobody is told again.
JOIN = """
    UPDATE alert SET told_at = %(now)s, tries = 0, next_try_at = NULL, last_delivery_error = NULL
    WHERE resolved_at IS NULL AND told_at IS NULL AND code = ANY(%(one_cause)s)
        AND EXISTS (
            SELECT FROM alert AS told
            WHERE told.resolved_at IS NULL AND told.told_at IS NOT NULL AND (told.crm, told.code) = (alert.crm, alert.code))
"""


@contextmanager
def one_look_at_a_time(conn: Connection) -> Iterator[None]:
    """A transaction that no other look runs beside: what is read in it is still so when it is written down."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('crm_assets:alerts', 0))")
        yield


def observe(conn: Connection, troubles: Sequence[Trouble], now: datetime) -> Observed:
    """Write down what is wrong now, in one transaction: new troubles are opened, known ones counted, absent ones closed.

    Read the troubles within ``one_look_at_a_time``, too, where another process may look at the same moment.
    """
    given = {
        "troubles": Jsonb([_as_json(trouble) for trouble in troubles]),
        "one_cause": sorted({trouble.code for trouble in troubles if one_cause(trouble.code)}),
        "now": now,
    }
    with one_look_at_a_time(conn):
        conn.execute(COUNT, given)
        closed = conn.execute(CLOSE, given).rowcount
        opened = conn.execute(OPEN, given).rowcount
        conn.execute(JOIN, given)
    return Observed(opened=opened, closed=closed)


def one_cause(code: str) -> bool:
    """Whether one cause behind this error hits every store of a CRM."""
    return issubclass(error_class(code), ONE_CAUSE)


def _as_json(trouble: Trouble) -> dict[str, object]:
    return {
        "crm": trouble.crm,
        "store": trouble.store,
        "code": trouble.code,
        "message": trouble.message,
        "evidence": trouble.evidence,
        "since": trouble.since.isoformat(),
        "last_at": trouble.last_at.isoformat(),
        "times": trouble.times,
    }


def due(conn: Connection, now: datetime) -> list[tuple[Alert, ...]]:
    """What is to be told now: each group is one message, of troubles that began or of troubles that are over, for one reason.

    One that is due brings along what waits for a later try. A recovery that other stores of the CRM still lack, from a cause
    that they have in common, waits for them for a while.
    """
    unfinished = _unfinished(conn)
    lasting = {(alert.crm, alert.code) for alert in unfinished if not alert.over}
    groups: dict[tuple[str, bool], list[Alert]] = defaultdict(list)
    for alert in unfinished:
        if alert.over and not _waits_for_others(alert, lasting, now):
            groups[alert.code, True].append(alert)
        if not alert.over and alert.told_at is None:
            groups[alert.code, False].append(alert)
    return [tuple(group) for group in groups.values() if any(_may_be_tried(alert, now) for alert in group)]


def _waits_for_others(alert: Alert, lasting: set[tuple[str, str]], now: datetime) -> bool:
    assert alert.resolved_at is not None  # noqa: S101 - asked only of what is over
    return one_cause(alert.code) and (alert.crm, alert.code) in lasting and now < alert.resolved_at + STRAGGLERS


def _may_be_tried(alert: Alert, now: datetime) -> bool:
    return alert.next_try_at is None or alert.next_try_at <= now


def record_told(conn: Connection, alerts: Sequence[Alert], now: datetime) -> None:
    """The message about these was delivered: about their beginning, or about their end where they are over."""
    conn.execute(
        """
        UPDATE alert SET told_at = coalesce(told_at, %(now)s), tries = 0, next_try_at = NULL, last_delivery_error = NULL,
            recovery_told_at = CASE WHEN alert_id = ANY(%(over)s) THEN %(now)s::timestamptz END
        WHERE alert_id = ANY(%(told)s)
        """,
        {"told": [one.alert_id for one in alerts], "over": [one.alert_id for one in alerts if one.over], "now": now},
    )


def record_undelivered(conn: Connection, alerts: Sequence[Alert], error: Exception, now: datetime) -> None:
    """Nobody took the message about these: it is tried again after a minute, then after twice as long, up to an hour."""
    conn.execute(
        """
        UPDATE alert SET tries = tries + 1, last_delivery_error = %s,
            next_try_at = %s + least(interval '1 minute' * 2 ^ least(tries, 6), interval '1 hour')
        WHERE alert_id = ANY(%s)
        """,
        [type(error).__name__, now, [one.alert_id for one in alerts]],
    )


@contextmanager
def delivering(conn: Connection) -> Iterator[bool]:
    """Whether this process may deliver: one at a time does, lest two tell the same. The lock falls with the connection."""
    key = ["crm_assets:alert delivery"]
    mine = conn.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key).fetchone() == (True,)
    try:
        yield mine
    finally:
        if mine and not conn.broken:
            conn.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)


COLUMNS = """
    SELECT alert_id, crm, store, code, message, evidence, first_seen_at, last_seen_at, times, resolved_at, told_at,
        recovery_told_at, tries, next_try_at, last_delivery_error
    FROM alert
"""
OPEN_ONES = COLUMNS + "WHERE resolved_at IS NULL ORDER BY first_seen_at, crm, store, code"
EVERY_ONE = COLUMNS + "ORDER BY first_seen_at, crm, store, code"
UNFINISHED = (
    COLUMNS
    + """
    WHERE resolved_at IS NULL OR (told_at IS NOT NULL AND recovery_told_at IS NULL) ORDER BY first_seen_at, crm, store, code
"""
)


def find(conn: Connection, *, every: bool = False) -> list[Alert]:
    """The troubles that last, or every one that ever was; oldest first."""
    with conn.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(EVERY_ONE if every else OPEN_ONES).fetchall()


def _unfinished(conn: Connection) -> list[Alert]:
    with conn.cursor(row_factory=class_row(Alert)) as cursor:
        return cursor.execute(UNFINISHED).fetchall()
