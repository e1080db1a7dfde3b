"""Everything composed: assets, resources and executor of one installation, from its settings."""

import warnings

import dagster as dg

from crm_assets.pipeline.assets import IO_MANAGER, report_assets
from crm_assets.pipeline.checks import report_checks
from crm_assets.pipeline.coverage import coverage_asset
from crm_assets.pipeline.digest import digest_asset, digest_sensor
from crm_assets.pipeline.io_manager import PostgresIOManager
from crm_assets.pipeline.operations import freshness_asset, upkeep_sensor
from crm_assets.pipeline.reports import sources, sources_of
from crm_assets.pipeline.resources import PlaywrightResource, Warehouse
from crm_assets.pipeline.sensors import report_sensors
from crm_assets.settings import Settings


def compose(settings: Settings) -> dg.Definitions:
    """The definitions of this installation. Raises ConfigurationError when a portal or its site is wrong."""
    with warnings.catch_warnings():
        # Backfill policies are marked beta, partitioned checks preview: both are what we rely on, on a locked version.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        assets = [asset for source in sources(settings) for asset in report_assets(source)]
        checks = [check for source in sources(settings) for check in report_checks(source)]
        assets += [freshness_asset(settings), coverage_asset(), digest_asset(settings)]
        sensors = [
            upkeep_sensor(),
            digest_sensor(),
            *(sensor for crm in settings.crms for sensor in report_sensors(sources_of(settings, crm))),
        ]
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        sensors=sensors,
        resources={
            IO_MANAGER: PostgresIOManager(warehouse=Warehouse()),
            "playwright": PlaywrightResource(),
            "warehouse": Warehouse(),
        },
        executor=dg.in_process_executor,
    )
