"""What a run tells Dagster of each partition, as metadata of its event: counts, amounts, where the file came from.

The newest partition of a run alone shows more, a few rows and the last thirty days: every event keeps what it shows for ever. No
personal data, here as everywhere in Dagster.
"""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from crm_assets.charts import days_png
from crm_assets.model import Kind, Report, Window
from crm_assets.pipeline.partitions import key_of
from crm_assets.pipeline.results import Landed, ProvenFile, TypedExport
from crm_assets.warehouse import days as of_days
from crm_assets.warehouse.connection import Connection

if TYPE_CHECKING:
    import pandas as pd

CHART_DAYS = 30
PREVIEW_ROWS = 5
CODED = ("number", "status", "mode", "type", "services", "source")
"""Texts are shown of the key and of columns that end so: nobody writes names or notes there, and no later one slips in."""

type Shown = dict[str, dict[str, Any]]
"""Metadata by partition key."""


def of_landed(landed: Landed) -> Shown:
    """Of each day the file that holds it, and how long the portal took for all of it."""
    return {
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
            "export": one.file.ledger_id,
        }
        for day in one.file.days
    }


def of_loaded(conn: Connection, report: Report, one: TypedExport) -> Shown:
    """Of each day what became of its rows, what it is worth, and whose the time was; of the newest a few rows and a picture."""
    export = one.export
    counts, rejected = Counter(one.typed.rows["business_day"]), Counter(reject.day for reject in one.typed.rejects)
    loads = of_days.loads(conn, report, export.store, export.ledger_id, export.days)
    newest = max(export.days)
    worth = of_days.amounts(
        conn,
        report,
        export.store,
        Window(first=min(*export.days, newest - timedelta(days=CHART_DAYS - 1)), last=newest),
    )
    came = _came(conn, export.ledger_id)
    shown = {
        str(key_of(export.store, day)): {
            "dagster/partition_row_count": counts[day],
            **_of_day(loads.get(day), counts[day], rejected[day]),
            **({"amount in rupees": float(worth.get(day, 0))} if worth else {}),
            **came,
        }
        for day in export.days
    }
    shown[str(key_of(export.store, newest))] |= _preview(report, one.typed.rows) | _picture(worth, newest)
    return shown


def _of_day(load: of_days.DayLoad | None, rows: int, rejected: int) -> dict[str, int]:
    load = load or of_days.DayLoad(rows=0, inserted=0, updated=0, missing=0)
    return {
        "rows in": rows + rejected,
        "inserted": load.inserted,
        "updated": load.updated,
        "unchanged": max(0, rows - load.inserted - load.updated),
        "rejected": rejected,
        "missing": load.missing,
    }


def _came(conn: Connection, ledger_id: int) -> dict[str, Any]:
    fetch = of_days.fetch_of(conn, ledger_id)
    if fetch is None:
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


def _preview(report: Report, rows: "pd.DataFrame") -> dict[str, Any]:
    """The last rows, in the columns that name nobody and hold no free text."""
    names = [
        column.name
        for column in report.fact_columns
        if not column.personal
        and (column.kind is not Kind.TEXT or column.name == report.key or column.name.endswith(CODED))
    ]
    last: Sequence[Mapping[str, Any]] = rows[names].tail(PREVIEW_ROWS).to_dict("records")  # type: ignore[assignment]
    if not last:
        return {}
    records = [dg.TableRecord({name: _plain(value) for name, value in row.items()}) for row in last]
    return {"preview": dg.MetadataValue.table(records)}


def _plain(value: Any) -> str | int | float | None:
    return value if value is None or isinstance(value, int) else str(value)


def _picture(worth: Mapping[date, Any], newest: date) -> dict[str, Any]:
    if not worth:
        return {}
    days = [newest - timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    png = days_png([(day, float(worth[day]) if day in worth else None) for day in days])
    drawn = base64.b64encode(png).decode()
    return {
        "last 30 days": dg.MetadataValue.md(f"![Rupees of the last {CHART_DAYS} days](data:image/png;base64,{drawn})")
    }
