"""Sensors: for each CRM one that refreshes at the slots, one that settles at night, one that fetches missing days.

A tick asks what is wanted and starts what is due; it remembers nothing, because ledger and runs do. The tick says why a store is
left out. No ``from __future__ import annotations`` here.
"""

from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from crm_assets.model import Clock, Purpose, system_clock
from crm_assets.pipeline.attempts import tags_of
from crm_assets.pipeline.planning import Asked, Plan, plan, wants_of
from crm_assets.pipeline.reports import Source
from crm_assets.pipeline.wants import LeftOut
from crm_assets.settings import load_settings
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.embedded import database_url

TICK_SECONDS = {Purpose.REFRESH: 30, Purpose.SETTLING: 60, Purpose.CATCH_UP: 60}
DOES = {
    Purpose.REFRESH: "At each slot of stores.yaml, fetches today and yesterday of every {title} store; retries what can heal.",
    Purpose.SETTLING: "Once a night, fetches the last weeks of every {title} store again: orders change long after their day.",
    Purpose.CATCH_UP: "Fetches the days of every {title} store that are missing, oldest first, in as few exports as it can.",
}
SHOWN = 20


def report_sensors(sources: Sequence[Source], clock: Clock = system_clock) -> list[dg.SensorDefinition]:
    """The three sensors of one CRM, over all its reports."""
    return [_sensor(sources, purpose, clock) for purpose in DOES]


def _sensor(sources: Sequence[Source], purpose: Purpose, clock: Clock) -> dg.SensorDefinition:
    first = sources[0]

    @dg.sensor(
        name=f"{first.crm_code}_{purpose}",
        description=DOES[purpose].format(title=first.crm.title),
        asset_selection=[name for source in sources for name in source.report.assets],
        minimum_interval_seconds=TICK_SECONDS[purpose],
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def ask(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        settings, now = load_settings(), clock()
        with connect(database_url(settings)) as conn:
            plans = [
                plan(conn, settings, context.instance, wants_of(conn, settings, source, purpose, now), now)
                for source in sources
            ]
        return _result(plans, now)

    return ask


def _result(plans: Sequence[Plan], now: datetime) -> dg.SensorResult:
    if asked := [_request(each, now) for one in plans for each in one.asked]:
        return dg.SensorResult(run_requests=asked)
    return dg.SensorResult(skip_reason=_why([left for one in plans for left in one.left_out]))


def _request(asked: Asked, now: datetime) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=asked.run_key,
        tags=tags_of(asked.want, now),
        asset_selection=[dg.AssetKey(name) for name in asked.want.report.assets],
    )


def _why(left_out: Sequence[LeftOut]) -> str:
    """Every reason of a tick that starts nothing."""
    if not left_out:
        return "nothing is due"
    told = [f"{one.want.store} {one.want.window}: {one.reason.removeprefix(f'{one.want.store}: ')}" for one in left_out]
    more = f"\nand {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return "\n".join(told[:SHOWN]) + more
