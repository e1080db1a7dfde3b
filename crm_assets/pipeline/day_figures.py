"""The figures of a day's digest, with how fresh each store is now. No Dagster here: the command needs none of it."""

from datetime import date, datetime

from crm_assets.digest.figures import Digest, Refreshed
from crm_assets.digest.reading import digest_of
from crm_assets.pipeline.health import health
from crm_assets.settings import Settings
from crm_assets.warehouse.connection import Connection


def read_digest(conn: Connection, settings: Settings, day: date, now: datetime) -> Digest:
    """The digest of a day of every store that had opened by then; ``now`` is the moment at which it is fresh or late."""
    stores = [store for crm in settings.crms for store in settings.stores(crm)]
    refreshed = [
        Refreshed(store=one.store, report=one.report, at=one.fresh.refreshed_at, warning=one.sentence)
        for one in health(conn, settings, now)
    ]
    return digest_of(conn, stores, day, now, refreshed)
