"""Partitions: one key per store and business day, ``2026-11-23|a668``; keys become windows per store and back.

Dates are Kolkata's; today's partition exists from midnight there. Which windows one export may take belongs to ``stores.yaml``.
"""

from collections.abc import Iterable, Mapping
from datetime import date

import dagster as dg

from crm_assets.store_list import Crm

BACKFILL_DAYS = 90
ZONE = "Asia/Kolkata"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def partitions_of(crm: Crm) -> dg.MultiPartitionsDefinition:
    """Date x store of one CRM, from its stores' earliest first day up to today."""
    first = min(store.first_day for store in crm.stores.values())
    return dg.MultiPartitionsDefinition(
        {
            "date": dg.DailyPartitionsDefinition(start_date=str(first), timezone=ZONE, end_offset=1),
            "store": dg.StaticPartitionsDefinition(list(crm.stores)),
        }
    )


def key_of(store: str, day: date) -> dg.MultiPartitionKey:
    """The partition of one store and day."""
    return dg.MultiPartitionKey({"date": str(day), "store": store})


def days_by_store(keys: Iterable[str]) -> Mapping[str, tuple[date, ...]]:
    """The days of each store in any set of partition keys, in order."""
    days: dict[str, list[date]] = {}
    for key in keys:
        day, store = key.split("|")
        days.setdefault(store, []).append(date.fromisoformat(day))
    return {store: tuple(sorted(found)) for store, found in sorted(days.items())}


def range_tags(store: str, first: date, last: date) -> dict[str, str]:
    """The tags that make one run cover a range of days of one store."""
    return {
        RANGE_START: str(key_of(store, first)),
        RANGE_END: str(key_of(store, last)),
        "store": store,
    }


def refuse_mixed_range(tags: Mapping[str, str]) -> None:
    """Refuse a run that carries a range *and* a single partition: its keys would silently be the first one's only.

    dagster-io/dagster#28861: a backfill launched from a job's page mixes both.
    """
    single = [tag for tag in tags if tag == "dagster/partition" or tag.startswith("dagster/partition/")]
    if single and RANGE_START in tags:
        raise dg.Failure(
            "This run carries a partition range and a single partition at once (dagster-io/dagster#28861) and would process the "
            "first partition only. Launch the backfill from the asset's page instead.",
            allow_retries=False,
        )
