"""Backfills: what a run's backfill wants besides the run's own partitions, so that one export of a store serves them all.

Dagster 1.13 cuts a rectangle with no more days than stores into one run for each day: see ``get_partition_key_ranges`` of its
``DefaultPartitionsSubset``. The first of these runs exports all days of a store; the others load theirs from the file that lies
there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from crm_assets.pipeline.attempts import BACKFILL_TAG
from crm_assets.pipeline.coordinator import SEVERAL, store_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The partition keys that the whole backfill wants, and when it was launched."""

    keys: tuple[str, ...]
    since: datetime


def wanted_beside(instance: dg.DagsterInstance, run: dg.DagsterRun, asset: dg.AssetKey) -> Beside | None:
    """What the backfill of a run over several stores wants of this asset; None for any other run: it has its own days alone."""
    backfill_id = run.tags.get(BACKFILL_TAG)
    if backfill_id is None or store_of(run.tags) != SEVERAL:
        return None
    backfill = instance.get_backfill(backfill_id)
    data = backfill.asset_backfill_data if backfill else None
    subset = data.get_target_partitions_subset(asset) if data else None
    if backfill is None or subset is None:
        return None
    return Beside(
        keys=tuple(subset.get_partition_keys()), since=datetime.fromtimestamp(backfill.backfill_timestamp, UTC)
    )
