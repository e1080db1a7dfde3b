"""Attempts: the runs that were started for a want, as Dagster knows them, and the tags by which it does.

Dagster knows of runs that ended before they wrote a word into the ledger; the ledger knows why the others failed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.storage.tags import PARENT_RUN_ID_TAG, RETRY_NUMBER_TAG

from crm_assets.model import Purpose
from crm_assets.pipeline.partitions import range_tags
from crm_assets.pipeline.wants import Tries
from crm_assets.warehouse.progress import Want

CRM_TAG, PURPOSE_TAG, SINCE_TAG, WANT_TAG = "crm", "crm/purpose", "crm/since", "crm/want"
PRIORITY_TAG, BACKFILL_TAG = "dagster/priority", "dagster/backfill"
PRIORITIES = {Purpose.REFRESH: "10", Purpose.SETTLING: "0", Purpose.CATCH_UP: "-5", Purpose.BACKFILL: "-10"}
ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
UNDER_WAY = [status for status in DagsterRunStatus if status not in ENDED]
LONGEST_RUN = timedelta(hours=2)  # as in dagster.yaml: a run that the end of the machine cut off has no other end


def tags_of(want: Want, now: datetime) -> dict[str, str]:
    """What a run for this want carries. A missing day is fetched unless somebody else does so from now on."""
    since = now if want.purpose is Purpose.CATCH_UP else want.since
    return range_tags(want.store.code, want.window.first, want.window.last) | {
        CRM_TAG: want.store.crm,
        PURPOSE_TAG: want.purpose.value,
        SINCE_TAG: since.isoformat(),
        WANT_TAG: want.key,
        PRIORITY_TAG: PRIORITIES[want.purpose],
    }


def purpose_of(tags: Mapping[str, str]) -> Purpose:
    """Why a run with these tags was started."""
    if PURPOSE_TAG in tags:
        return Purpose(tags[PURPOSE_TAG])
    return Purpose.BACKFILL if BACKFILL_TAG in tags else Purpose.BY_HAND


def wanted_since(tags: Mapping[str, str]) -> datetime | None:
    """Since when an export by anybody is as good as this run's own; None: never. Who runs it again by hand wants an export."""
    by_hand = PARENT_RUN_ID_TAG in tags and RETRY_NUMBER_TAG not in tags
    return datetime.fromisoformat(tags[SINCE_TAG]) if SINCE_TAG in tags and not by_hand else None


def tries_of(instance: dg.DagsterInstance, wants: Sequence[Want], now: datetime) -> Mapping[str, Tries]:
    """The runs of each want, by its key. One that has been at work for too long is not under way any more."""
    found = defaultdict[str, list[RunRecord]](list)
    if wants:
        for record in instance.get_run_records(RunsFilter(tags={WANT_TAG: [want.key for want in wants]})):
            found[record.dagster_run.tags[WANT_TAG]].append(record)
    return {want.key: _tries(found[want.key], now) for want in wants}


def under_way(instance: dg.DagsterInstance, crm: str, purpose: Purpose) -> int:
    """How many runs of a CRM and purpose wait or work."""
    return instance.get_runs_count(RunsFilter(tags={CRM_TAG: crm, PURPOSE_TAG: purpose.value}, statuses=UNDER_WAY))


def _tries(records: Sequence[RunRecord], now: datetime) -> Tries:
    failed = [record for record in records if record.dagster_run.status in ENDED[1:]]
    ends = [record.end_time for record in failed if record.end_time and record.end_time <= now.timestamp()]
    return Tries(
        runs=len(records),
        under_way=any(_is_under_way(record, now) for record in records),
        failed_run_ids=tuple(record.dagster_run.run_id for record in failed),
        last_failed_at=datetime.fromtimestamp(max(ends), UTC) if ends else None,
    )


def _is_under_way(record: RunRecord, now: datetime) -> bool:
    """Whether it waits, or works and may still come to an end."""
    began = datetime.fromtimestamp(record.start_time, UTC) if record.start_time else now
    return record.dagster_run.status in UNDER_WAY and now - began < LONGEST_RUN
