"""Where Dagster keeps its own things: its home folder, its schema in the warehouse's server, the environment its processes need.

``DAGSTER_HOME`` is respected when it is set; otherwise it is ``<local>/dagster``, with the project's ``dagster.yaml`` linked in.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from crm_assets.errors import ConfigurationError
from crm_assets.settings import PROJECT_ROOT, Settings
from crm_assets.warehouse.connection import dagster_url
from crm_assets.warehouse.embedded import database_url

STATEMENT_MILLISECONDS, POOL_SECONDS = 120_000, 3600


def dagster_environment(settings: Settings) -> Mapping[str, str]:
    """The variables every Dagster process needs; starts the embedded database when none is configured."""
    url = database_url(settings)
    return {
        "DAGSTER_HOME": str(dagster_home(settings)),
        "CRM_DATABASE_URL": url,
        "CRM_DAGSTER_DATABASE_URL": dagster_url(url),
        "DAGSTER_EVENT_BATCH_SIZE": "500",  # a range run writes its events in batches, not one connection each
        "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": "120",
    }


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance that the UI and the daemon show and use. Changes this process's environment."""
    os.environ.update(dagster_environment(settings))
    return dg.DagsterInstance.get()


def keep_connected(instance: dg.DagsterInstance) -> None:
    """Let the instance hold its connections until this process ends: of itself it makes a new one for every event, and a month of
    days has hundreds.
    """
    instance.optimize_for_webserver(statement_timeout=STATEMENT_MILLISECONDS, pool_recycle=POOL_SECONDS, max_overflow=4)


def dagster_home(settings: Settings) -> Path:
    """The home folder, made ready."""
    home = Path(os.environ.get("DAGSTER_HOME") or settings.local_dir / "dagster").expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.unlink(missing_ok=True)  # a link whose checkout has moved
        config.symlink_to(PROJECT_ROOT / "dagster.yaml")
    if not config.is_file():
        raise ConfigurationError(f"DAGSTER_HOME: expected a dagster.yaml in {home}, found a folder of that name")
    return home
