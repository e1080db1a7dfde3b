"""The daily digest as an asset, and the sensor that makes it after each slot and sends it after the day's last.

What the digest says belongs to ``crm_assets.digest``. No ``from __future__ import annotations`` here.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import dagster as dg

from crm_assets.credentials import addresses
from crm_assets.digest.figures import Digest, ThreeSums
from crm_assets.digest.files import DigestFiles, write_digest
from crm_assets.digest.post import Sending, send, summary
from crm_assets.digest.words import growth
from crm_assets.errors import ConfigurationError
from crm_assets.logs import say
from crm_assets.model import Clock, Store, system_clock
from crm_assets.notify import Undelivered
from crm_assets.pipeline.day_figures import read_digest
from crm_assets.pipeline.health import StoreHealth, health
from crm_assets.pipeline.partitions import ZONE
from crm_assets.pipeline.reports import sources
from crm_assets.pipeline.resources import Warehouse
from crm_assets.settings import DIGEST_URLS, Settings, load_settings
from crm_assets.slots import latest_slot, offset_of
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.embedded import database_url

ASSET, GROUP, OWNERS = "daily_sales_digest", "reporting", ["team:data"]
CHECK = "totals_equal_the_tables"
PATIENCE = timedelta(hours=1)  # so long the digest waits for a store that does not answer
TRIES_AGAIN, AFTER_SECONDS = 2, 30  # of a run that failed: its run key is not asked for again
RUN_KEY_TAG = "dagster/run_key"


def digest_asset(settings: Settings) -> dg.AssetsDefinition:
    """The page and the workbook of a day, with the check that proves them."""

    @dg.asset(
        name=ASSET,
        group_name=GROUP,
        kinds={"html", "excel"},
        owners=OWNERS,
        partitions_def=dg.DailyPartitionsDefinition(start_date=str(_first_day(settings)), timezone=ZONE, end_offset=1),
        deps=[
            dg.AssetDep(source.report.fact_table, partition_mapping=dg.MultiToSingleDimensionPartitionMapping("date"))
            for source in sources(settings)
        ],
        description="The day's sales, the month's and last month's to the same day, collections, open and late orders, unpaid "
        "balances and GST of every store, as a page and a workbook. The sensor of the same name renews it after each slot.",
        retry_policy=dg.RetryPolicy(max_retries=TRIES_AGAIN, delay=AFTER_SECONDS),
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=ASSET,
                description="Sales, collections, returns and packages of each window, what is unpaid and not delivered, and GST: "
                "each figure on the page, computed a second time straight from the fact tables, is the same.",
            )
        ],
    )
    def daily_sales_digest(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        settings = load_settings()
        with warehouse.connect() as conn:
            digest = read_digest(conn, settings, date.fromisoformat(context.partition_key), system_clock())
        files = write_digest(settings.digests_dir, digest)
        yield dg.MaterializeResult(asset_key=ASSET, metadata=_as_metadata(digest, files))
        yield dg.AssetCheckResult(
            asset_key=ASSET,
            check_name=CHECK,
            passed=not digest.mismatches,
            metadata={
                "rows counted": digest.rows,
                "differences": "\n".join(str(one) for one in digest.mismatches) or "none",
            },
        )

    return daily_sales_digest


def digest_sensor(clock: Clock = system_clock) -> dg.SensorDefinition:
    """Makes the digest once for each slot, when its stores are there or an hour has passed; sends it once a day."""

    @dg.sensor(
        name=ASSET,
        asset_selection=[ASSET],
        description="Makes the digest of today once each slot has been served, of yesterday with the day's first; after the last "
        "slot it is sent to CRM_DIGEST_URLS.",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def ask(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        settings, now = load_settings(), clock()
        times = _times(settings)
        slot = latest_slot(now, times)
        if slot is None:
            return dg.SensorResult(skip_reason="no store has a slot")
        day = slot.date()  # past midnight it is still the last slot's, until the day's first one begins
        sending = Sending.read(context.cursor, str(day))
        with connect(database_url(settings)) as conn:
            waiting = [] if now >= slot + PATIENCE else _waiting(health(conn, settings, now), _due(settings, slot))
            if waiting:
                return dg.SensorResult(skip_reason=f"waits for {', '.join(waiting)}")
            if slot.time() == times[-1] and sending.is_due(now) and _is_made(context.instance, day, slot):
                sending = _sent(conn, settings, sending, now)
        days = [day] if slot.time() != times[0] else [day, day - timedelta(days=1)]
        return dg.SensorResult(
            run_requests=[_request(one, slot) for one in days if one >= _first_day(settings)], cursor=str(sending)
        )

    return ask


def _request(day: date, slot: datetime) -> dg.RunRequest:
    """A run key is served once, however often it is asked for."""
    return dg.RunRequest(run_key=_run_key(day, slot), partition_key=str(day), asset_selection=[dg.AssetKey(ASSET)])


def _run_key(day: date, slot: datetime) -> str:
    return f"digest/{day}/{slot:%Y-%m-%dT%H:%M}"


def _is_made(instance: dg.DagsterInstance, day: date, slot: datetime) -> bool:
    """Whether the run of this slot has written the page."""
    filters = dg.RunsFilter(tags={RUN_KEY_TAG: _run_key(day, slot)}, statuses=[dg.DagsterRunStatus.SUCCESS])
    return instance.get_runs_count(filters) > 0


def _sent(conn: Connection, settings: Settings, sending: Sending, now: datetime) -> Sending:
    """Done, once the day's digest was sent; a delivery that fails is tried again by a later tick, and fails nothing."""
    try:
        urls = addresses(settings, DIGEST_URLS)
        if not urls:
            return sending
        digest = read_digest(conn, settings, date.fromisoformat(sending.day), now)
        missed = send(urls, digest, write_digest(settings.digests_dir, digest))
    except (Undelivered, ConfigurationError) as error:
        say("digest", "undelivered", error, level=logging.WARNING)
        return sending.failed(now)
    say("digest", "sent", "; ".join([sending.day, *missed]), level=logging.WARNING if missed else logging.INFO)
    return replace(sending, done=True)


def _waiting(found: Sequence[StoreHealth], due: Mapping[Store, datetime]) -> list[str]:
    """The stores that have not been refreshed since they were due."""
    return sorted(
        {
            str(one.store)
            for one in found
            if one.store in due and (one.fresh.refreshed_at is None or one.fresh.refreshed_at < due[one.store])
        }
    )


def _due(settings: Settings, slot: datetime) -> dict[Store, datetime]:
    """When each store was to be refreshed last, up to this slot; at the whole minute at which it is asked for."""
    due = dict[Store, datetime]()
    for code, crm in settings.crms.items():
        stores = settings.stores(code)
        for place, store in enumerate(stores):
            own = latest_slot(slot, crm.slots_of(store.code))
            if own and store.first_day <= own.date():
                begins = own + offset_of(place, len(stores), crm.spread_minutes)
                due[store] = begins.replace(second=0, microsecond=0)
    return due


def _times(settings: Settings) -> list[time]:
    """The times of day at which any store is refreshed, in order."""
    return sorted({at for crm in settings.crms.values() for store in crm.stores for at in crm.slots_of(store)})


def _first_day(settings: Settings) -> date:
    return min(store.first_day for crm in settings.crms for store in settings.stores(crm))


def _as_metadata(digest: Digest, files: DigestFiles) -> dict[str, dg.MetadataValue | float | int]:
    """The totals of every store as a table, those of all as numbers that the UI draws over the days, and where the files are."""
    rows = [(str(one.store), one.sums) for one in digest.sales] + [("all stores", digest.total)]
    return {
        "in short": dg.MetadataValue.md("\n".join(f"- {line}" for line in summary(digest))),
        "sales": dg.MetadataValue.table([dg.TableRecord(_row(name, sums)) for name, sums in rows]),
        "order amount": float(digest.total.day.amount),
        "orders": digest.total.day.count,
        "order amount of the month": float(digest.total.month.amount),
        "collected": float(digest.money.day.amount),
        "late orders": sum(one.late for one in digest.pipelines),
        "days not fetched": digest.total.month.unfetched + digest.total.last_month.unfetched,
        "page": dg.MetadataValue.path(files.page),
        "workbook": dg.MetadataValue.path(files.workbook),
    }


def _row(name: str, sums: ThreeSums) -> dict[str, str | int | float]:
    return {
        "store": name,
        "fetched": "no" if sums.day.is_missing else "in part" if sums.day.is_partial else "yes",
        "orders": sums.day.count,
        "amount": float(sums.day.amount),
        "month": float(sums.month.amount),
        "last month to the same day": float(sums.last_month.amount),
        "growth": growth(sums.growth),
    }
