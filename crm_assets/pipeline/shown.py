"""What a run tells Dagster of each partition, as metadata of its event: counts, amounts, where the file came from.

A few rows and a picture of the last thirty days stand at the newest partition of each store in a run, and nowhere else: every
event keeps what it shows for ever. No personal data, here as everywhere in Dagster.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

import dagster as dg

from crm_assets.charts import days_png
from crm_assets.model import Kind, Report, Window
from crm_assets.pipeline.partitions import key_of
from crm_assets.pipeline.results import Landed, ProvenFile, TypedExport
from crm_assets.warehouse import days as of_days
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.days import DayLoad, Fetch

CHART_DAYS = 30
PREVIEW_ROWS = 5
AMOUNT = "amount in rupees"
CODED = ("number", "status", "mode", "type", "services", "source")
"""Texts are shown of the key and of columns that end so: nobody writes names or notes there, and no later one slips in."""

type Shown = dict[str, dict[str, Any]]
"""Metadata by partition key."""


def of_landed(landed: Landed) -> Shown:
    """Of each day the file that holds it, and how long the portal took for all of it; nothing of one that lay there already."""
    lying: Shown = {str(key_of(store.code, day)): {} for store, window in landed.lying for day in window.days()}
    return lying | {
        str(key_of(one.store.code, day)): {
            "file": one.file.name,
            "md5": one.md5,
            "strategy": one.strategy,
            "window": str(one.window),
            "portal seconds": round(one.seconds, 2),
        }
        for one in landed.downloads
        for day in one.window.days()
    }


def of_staged(one: ProvenFile) -> Shown:
    """Of each day its rows in the file."""
    counts = Counter(one.rows["business_day"])
    return {
        str(key_of(one.file.store, day)): {
            "dagster/partition_row_count": counts[day],
            "file": one.file.file.name,
            "md5": one.file.md5,
            "window": str(one.file.window),
            "export": one.file.ledger_id,
        }
        for day in one.file.days
    }


def of_loaded(conn: Connection, report: Report, loaded: Iterable[TypedExport]) -> Shown:
    """Of each day what became of its rows, what it is worth, and whose the time was; of each store's newest rows and picture.

    Three queries for a store, however many exports its days came from.
    """
    shown: Shown = {}
    by_store = sorted(loaded, key=lambda one: (one.export.store, max(one.export.days)))
    for store, exports in groupby(by_store, key=lambda one: one.export.store):
        shown |= _of_store(conn, report, store, list(exports))
    return shown


def sum_of(done: Shown) -> dict[str, Any]:
    """The worth of all these days, where days have one."""
    amounts = [of_day[AMOUNT] for of_day in done.values() if AMOUNT in of_day]
    return {f"run: {AMOUNT}": round(sum(amounts), 2)} if amounts else {}


def _of_store(conn: Connection, report: Report, store: str, exports: Sequence[TypedExport]) -> Shown:
    """``exports``: the one with the newest day last."""
    came = {day: one.export.ledger_id for one in exports for day in one.export.days}
    newest = max(came)
    charted = Window(first=min(*came, newest - timedelta(days=CHART_DAYS - 1)), last=newest)
    loads = of_days.loads(conn, report, store, came, min(one.started_at for one in exports))
    worth, fetches = of_days.amounts(conn, report, store, charted), of_days.fetches(conn, set(came.values()))
    shown: Shown = {}
    for one in exports:
        rows, rejects = Counter(one.typed.rows["business_day"]), Counter(reject.day for reject in one.typed.rejects)
        for day in one.export.days:
            shown[str(key_of(store, day))] = {
                **_counts(loads.get(day, DayLoad()), rows[day], rejects[day]),
                **({AMOUNT: float(worth.get(day, 0))} if worth else {}),
                **_came(one.export.ledger_id, fetches),
            }
    shown[str(key_of(store, newest))] |= _preview(report, exports[-1]) | _picture(worth, newest)
    return shown


def _counts(load: DayLoad, rows: int, rejected: int) -> dict[str, int]:
    return {
        "dagster/partition_row_count": rows,
        "rows in": rows + rejected,
        "inserted": load.inserted,
        "updated": load.updated,
        "unchanged": max(0, rows - load.inserted - load.updated),
        "rejected": rejected,
        "missing": load.missing,
    }


def _came(ledger_id: int, fetches: Mapping[int, Fetch]) -> dict[str, Any]:
    if (fetch := fetches.get(ledger_id)) is None:
        return {}
    return {
        "export": ledger_id,
        "file": fetch.file_name,
        "window": str(fetch.window),
        "md5": fetch.md5,
        "strategy": fetch.strategy,
        "portal seconds": round(fetch.portal_seconds, 2),
        **({"our seconds": round(fetch.our_seconds, 2)} if fetch.our_seconds is not None else {}),
    }


def _preview(report: Report, one: TypedExport) -> dict[str, Any]:
    """The last rows, in the columns that name nobody and in which nobody writes."""
    rows = one.typed.rows[list(_harmless(report))].tail(PREVIEW_ROWS).to_dict("records")
    records = [dg.TableRecord({str(name): _plain(value) for name, value in row.items()}) for row in rows]
    return {"preview": dg.MetadataValue.table(records)} if records else {}


def _harmless(report: Report) -> Iterator[str]:
    for column in report.fact_columns:
        coded = column.kind is not Kind.TEXT or column.name == report.key or column.name.endswith(CODED)
        if coded and not column.personal:
            yield column.name


def _plain(value: Any) -> str | int | None:
    return value if value is None or isinstance(value, int) else str(value)


def _picture(worth: Mapping[date, Decimal], newest: date) -> dict[str, Any]:
    if not worth:
        return {}
    days = [newest - timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    png = days_png([(day, float(worth[day]) if day in worth else None) for day in days])
    best = max(days, key=lambda day: worth.get(day, Decimal()))
    words = (
        f"Rupees of each of the {CHART_DAYS} days to {newest}: most on {best}, {worth.get(best, 0):,.0f}; "
        f"{sum(day not in worth for day in days)} days never fetched."
    )
    return {f"last {CHART_DAYS} days": dg.MetadataValue.md(markdown_of(png, words))}


def markdown_of(png: bytes, words: str) -> str:
    """A picture, and below it what it says, for who does not see it."""
    return f"![In words below](data:image/png;base64,{base64.b64encode(png).decode()})\n\n{words}"
