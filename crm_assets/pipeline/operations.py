"""Operations: the asset and the sensor that look after the installation itself, not after one store-day.

``store_freshness`` shows how every store is, with one check for each; the sensor ``upkeep`` looks around every minute. What a
look does belongs to ``upkeep.py``. No ``from __future__ import annotations`` here.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from crm_assets.model import IST, Clock, Store, system_clock
from crm_assets.pipeline.catalogue import code, described
from crm_assets.pipeline.coverage import ASSET as COVERAGE
from crm_assets.pipeline.coverage import coverage_shown
from crm_assets.pipeline.health import StoreHealth, health
from crm_assets.pipeline.resources import Warehouse
from crm_assets.pipeline.upkeep import look_after
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.embedded import database_url
from crm_assets.warehouse.latecomers import changes_by_age

ASSET, OWNERS, GROUP = "store_freshness", ["team:data"], "operations"
COLUMNS = {
    "store": ("text", "CRM and store code"),
    "report": ("text", "Report of the CRM"),
    "state": ("text", "Fresh, late, waiting for a person, or what else the ledger says of it"),
    "last good refresh": ("text", "When its newest export was loaded, or found to be loaded already (Asia/Kolkata)"),
    "missing days": ("integer", "Days since the store's first one that no export covers"),
    "open rejects": ("integer", "Rows that no fact table took and nobody has looked at"),
    "next slot": ("text", "When it is fetched next (Asia/Kolkata)"),
}


def check_name(store: Store) -> str:
    """``td_a668_is_fresh``."""
    return f"{store.crm}_{store.code}_is_fresh".replace("-", "_")


def freshness_asset(settings: Settings) -> dg.AssetsDefinition:
    """How every store is, with a check for each store."""

    @dg.asset(
        name=ASSET,
        group_name=GROUP,
        kinds={"postgres"},
        owners=OWNERS,
        description="How fresh each store's data is, by the ledger: Dagster's own freshness knows no stores. The sensor `upkeep` "
        "renews it every hour, and whenever a store's state changes.",
        tags={"crm": "all"},
        metadata=described(COLUMNS) | code(the_table=(Path(__file__), "def freshness_asset")),
        check_specs=[
            dg.AssetCheckSpec(
                check_name(store),
                asset=ASSET,
                description=f"{store.name}: every report was refreshed at the last slot, an hour's grace given.",
            )
            for store in _stores(settings)
        ],
    )
    def store_freshness(warehouse: Warehouse) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        with warehouse.connect() as conn:
            found = health(conn, load_settings(), system_clock())
            late = changes_by_age(conn)
        yield dg.MaterializeResult(asset_key=ASSET, metadata=_as_metadata(found, late))
        for store, reports in _by_store(found).items():
            yield dg.AssetCheckResult(
                asset_key=ASSET, check_name=check_name(store), passed=_is_fresh(reports), metadata=_figures(reports)
            )

    return store_freshness


def upkeep_sensor(clock: Clock = system_clock) -> dg.SensorDefinition:
    """The look around."""

    @dg.sensor(
        name="upkeep",
        description="Closes the attempts of dead runs, sends alerts and renews `store_freshness` and `coverage`; once an hour it "
        "deletes what is no longer kept.",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def upkeep(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        settings, before, hour = load_settings(), json.loads(context.cursor or "{}"), f"{clock():%Y-%m-%dT%H}"
        with connect(database_url(settings)) as conn:
            found = look_after(settings, conn, clock, and_tidy=before.get("tidied") != hour)
            late = changes_by_age(conn)
            states = {str(store): [one.state for one in reports] for store, reports in _by_store(found.stores).items()}
            changed = {store for store, state in states.items() if state != before.get("states", {}).get(store)}
            events = list[dg.AssetMaterialization | dg.AssetCheckEvaluation]()
            if changed or found.tidied:
                covered = coverage_shown(conn, settings, clock())
                events = [*_events(found.stores, changed, late), dg.AssetMaterialization(COVERAGE, metadata=covered)]
        return dg.SensorResult(
            cursor=json.dumps({"tidied": hour, "states": states}),
            asset_events=events,
            skip_reason=f"{len(found.stores)} stores' reports looked at, {found.closed} dead attempts closed, "
            f"{found.told.opened} troubles new, {found.told.closed} over, {found.told.messages} messages sent",
        )

    return upkeep


def _stores(settings: Settings) -> Iterator[Store]:
    for crm in settings.crms:
        yield from settings.stores(crm)


def _events(
    found: Sequence[StoreHealth], changed: Set[str], late: Mapping[str, Mapping[int, int]]
) -> list[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """What a run of the asset tells, without a run; the checks of those stores alone whose state has changed."""
    return [
        dg.AssetMaterialization(asset_key=ASSET, metadata=_as_metadata(found, late)),
        *(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(ASSET),
                check_name=check_name(store),
                passed=_is_fresh(reports),
                metadata=_figures(reports),
            )
            for store, reports in _by_store(found).items()
            if str(store) in changed
        ),
    ]


def _by_store(found: Sequence[StoreHealth]) -> Mapping[Store, Sequence[StoreHealth]]:
    stores: dict[Store, list[StoreHealth]] = {}
    for one in found:
        stores.setdefault(one.store, []).append(one)
    return stores


def _is_fresh(reports: Sequence[StoreHealth]) -> bool:
    return not any(one.is_late for one in reports)


def _figures(reports: Sequence[StoreHealth]) -> dict[str, str | int]:
    """One store's figures: state, refresh and gaps of each report, and what to do where one is late."""
    figures: dict[str, str | int] = {}
    for one in reports:
        figures[f"{one.report}: state"] = one.state
        figures[f"{one.report}: last good refresh"] = _moment(one.fresh.refreshed_at)
        figures[f"{one.report}: missing days"] = one.fresh.missing_days
        if one.sentence:
            figures[f"{one.report}: what is wrong"] = one.sentence
        if one.advice:
            figures[f"{one.report}: what to do"] = "\n".join(one.advice)
    return figures


def _as_metadata(
    found: Sequence[StoreHealth], late: Mapping[str, Mapping[int, int]]
) -> dict[str, dg.MetadataValue[Any] | int]:
    """The table of all stores, how many are late, and at which age changes still arrive."""
    return {
        "stores": dg.MetadataValue.table([dg.TableRecord(_row(one)) for one in found]),
        "late": sum(one.is_late for one in found),
        "missing days": sum(one.fresh.missing_days for one in found),
        "changes by age in days": dg.MetadataValue.table(
            [
                dg.TableRecord({"crm": crm, "age in days": age, "changes": count})
                for crm, ages in late.items()
                for age, count in ages.items()
            ]
            or [dg.TableRecord({"crm": "none yet", "age in days": 0, "changes": 0})]
        ),
    }


def _row(one: StoreHealth) -> dict[str, str | int]:
    fresh = one.fresh
    values = (
        str(one.store),
        one.report,
        one.state,
        _moment(fresh.refreshed_at),
        fresh.missing_days,
        fresh.open_rejects,
        _moment(one.next_at),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(IST):%Y-%m-%d %H:%M}" if at else "never"
