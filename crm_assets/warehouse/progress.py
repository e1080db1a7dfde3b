"""How far the fetching has come: which wants are met since when, what went wrong meanwhile, which days are still missing.

Each question is one statement, however many stores it is asked for. What to do about the answers is ``pipeline/wants.py``'s
business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from crm_assets.model import Purpose, Report, Store, Window
from crm_assets.warehouse.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A report of a store that should have been asked for since a moment (aware), for all days of the window."""

    store: Store
    report: Report
    window: Window
    purpose: Purpose
    since: datetime

    @property
    def key(self) -> str:
        """What names the cause: ``td/a668/order_report/2026-11-24..2026-11-25/refresh/2026-11-25T10:30``.

        The days that are missing are their own cause.
        """
        cause = "" if self.purpose is Purpose.CATCH_UP else f"/{self.since:%Y-%m-%dT%H:%M}"
        return f"{self.store}/{self.report.name}/{self.window.first}..{self.window.last}/{self.purpose}{cause}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What came of a want: whether it is met, and its failed or skipped attempts, of which the last is told.

    ``recovered``: the store's report has been loaded for other days since.
    """

    met: bool
    failures: int
    run_ids: list[str]
    last_failed_at: datetime | None
    error_code: str | None
    recovered: bool = False


STANDINGS = """
    SELECT seen.*, want.purpose = 'catch_up' AND EXISTS (
        SELECT FROM download_ledger AS good
        WHERE good.crm = want.crm AND good.store = want.store AND good.report = want.report
            AND good.started_at > seen.last_failed_at AND good.status IN ('ingested', 'empty', 'unchanged')
    ) AS recovered
    FROM unnest(
        %(crms)s::text[], %(stores)s::text[], %(reports)s::text[], %(firsts)s::date[], %(lasts)s::date[],
        %(since)s::timestamptz[], %(purposes)s::text[]
    ) WITH ORDINALITY AS want (crm, store, report, first_day, last_day, since, purpose, place)
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(
                status IN ('ingested', 'empty', 'unchanged') AND requested_at BETWEEN want.since AND %(now)s
            ), false) AS met,
            count(*) FILTER (WHERE error_code IS NOT NULL) AS failures,
            coalesce(array_agg(run_id) FILTER (WHERE error_code IS NOT NULL), '{}') AS run_ids,
            max(finished_at) FILTER (WHERE error_code IS NOT NULL AND finished_at <= %(now)s) AS last_failed_at,
            (array_agg(error_code ORDER BY ledger_id DESC) FILTER (WHERE error_code IS NOT NULL))[1] AS error_code
        FROM download_ledger AS attempt
        WHERE attempt.crm = want.crm AND attempt.store = want.store AND attempt.report = want.report
            AND attempt.started_at >= want.since
            AND attempt.from_date <= want.first_day AND attempt.to_date >= want.last_day
            AND (want.purpose <> 'catch_up' OR attempt.purpose = 'catch_up')
    ) AS seen
    ORDER BY place
"""


def standings(conn: Connection, wants: Sequence[Want], now: datetime) -> list[Standing]:
    """One answer for each want, in their order. What is of the future does not count: the machine's clock was wrong then.

    Of a missing day only the attempts to fetch it as such count: what failed on the day itself must not put them off.
    """
    with conn.cursor(row_factory=class_row(Standing)) as cursor:
        return cursor.execute(
            STANDINGS,
            {
                "crms": [want.store.crm for want in wants],
                "stores": [want.store.code for want in wants],
                "reports": [want.report.name for want in wants],
                "firsts": [want.window.first for want in wants],
                "lasts": [want.window.last for want in wants],
                "since": [want.since for want in wants],
                "purposes": [want.purpose.value for want in wants],
                "now": now,
            },
        ).fetchall()


def is_fetched(
    conn: Connection, store: Store, report: Report, window: Window, *, since: datetime, meanwhile: datetime
) -> bool:
    """Whether all days of the window were asked for since a moment and are loaded, or landed meanwhile and are being loaded."""
    row = conn.execute(
        """
        SELECT EXISTS (
            SELECT FROM download_ledger
            WHERE (crm, store, report) = (%s, %s, %s) AND from_date <= %s AND to_date >= %s AND (
                (status IN ('ingested', 'empty', 'unchanged') AND requested_at >= %s)
                OR (status = 'downloaded' AND finished_at >= %s)
            )
        )
        """,
        [store.crm, store.code, report.name, window.first, window.last, since, meanwhile],
    ).fetchone()
    return bool(row and row[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Days in a row of which no final export is loaded. ``store`` is the store's code."""

    store: str
    first: date
    last: date


# Most stores lack nothing: counting finds the few that do, and only their days are looked at one by one. Staged a moment ago is
# being loaded.
HOLES = """
    WITH behind AS (
        SELECT store, wanted.first_day
        FROM unnest(%(stores)s::text[], %(firsts)s::date[]) AS wanted (store, first_day)
            LEFT JOIN staging_slice AS slice USING (store)
        WHERE wanted.first_day <= %(until)s
        GROUP BY store, wanted.first_day
        HAVING count(*) FILTER (
            WHERE slice.crm = %(crm)s AND slice.report = %(report)s
                AND (final_at IS NOT NULL OR staged_at > %(now)s - interval '15 minutes')
                AND business_day BETWEEN wanted.first_day AND %(until)s
        ) <> %(until)s::date - wanted.first_day + 1
    )
    SELECT store, missing.first, missing.last
    FROM behind CROSS JOIN LATERAL (
        SELECT previous + 1 AS first, business_day - 1 AS last
        FROM (
            SELECT business_day, lag(business_day, 1, behind.first_day - 1) OVER (ORDER BY business_day) AS previous
            FROM (
                SELECT business_day FROM staging_slice AS slice
                WHERE slice.crm = %(crm)s AND slice.report = %(report)s AND slice.store = behind.store
                    AND (final_at IS NOT NULL OR staged_at > %(now)s - interval '15 minutes')
                    AND business_day BETWEEN behind.first_day AND %(until)s
                UNION ALL SELECT %(until)s::date + 1
            ) AS days
        ) AS steps
        WHERE business_day - previous > 1
    ) AS missing
    ORDER BY missing.first, store
    LIMIT %(most)s
"""


def holes(
    conn: Connection, report: Report, stores: Sequence[Store], until: date, now: datetime, most: int | None = None
) -> list[Hole]:
    """The days up to ``until`` that are missing of these stores of one CRM, oldest first, at most so many ranges."""
    with conn.cursor(row_factory=class_row(Hole)) as cursor:
        return cursor.execute(
            HOLES,
            {
                "crm": report.crm,
                "report": report.name,
                "stores": [store.code for store in stores],
                "firsts": [store.first_day for store in stores],
                "until": until,
                "now": now,
                "most": most,
            },
        ).fetchall()


def refused_windows(conn: Connection, report: Report, codes: Sequence[str], since: datetime) -> set[tuple[str, Window]]:
    """The windows of each store whose newest attempt since then ended with one of these error codes."""
    found = conn.execute(
        """
        SELECT store, from_date, to_date FROM (
            SELECT DISTINCT ON (store, from_date, to_date) store, from_date, to_date, error_code
            FROM download_ledger
            WHERE crm = %s AND report = %s AND purpose = 'catch_up' AND started_at >= %s AND status <> 'running'
            ORDER BY store, from_date, to_date, ledger_id DESC
        ) AS newest
        WHERE error_code = ANY(%s)
        """,
        [report.crm, report.name, since, list(codes)],
    )
    return {(store, Window(first=first, last=last)) for store, first, last in found}
