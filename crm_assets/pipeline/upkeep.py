"""Upkeep: the look around that an installation needs every minute, whoever calls for it: Dagster's sensor, or cron.

Attempts of dead runs are closed, what is wrong is told, what is no longer kept is deleted. No Dagster here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crm_assets.model import AccountState, Clock
from crm_assets.pipeline.alerting import Told, raise_alerts
from crm_assets.pipeline.health import StoreHealth, health
from crm_assets.pipeline.retention import Tidied, tidy
from crm_assets.settings import Settings
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.troubles import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAfter:
    """What a look brought: attempts of dead runs that were ``closed``, what was told, what was deleted, how the stores are."""

    closed: int
    told: Told
    tidied: Tidied | None
    stores: Sequence[StoreHealth]


def look_after(settings: Settings, conn: Connection, clock: Clock, *, and_tidy: bool) -> LookedAfter:
    """Look around once; deleting may take longer, and need not be done each time."""
    closed = ledger.close_abandoned(conn, clock())
    stores = health(conn, settings, clock())
    told = raise_alerts(settings, conn, clock, extra=list(_late(stores)))
    return LookedAfter(
        closed=len(closed), told=told, tidied=tidy(settings, conn, clock()) if and_tidy else None, stores=stores
    )


def _late(stores: Sequence[StoreHealth]) -> Iterator[Trouble]:
    """Stores that are late although nothing says why: what failed has an alert of its own."""
    for one in stores:
        explained = one.fresh.error_code or one.fresh.state == AccountState.NEEDS_PERSON
        if one.sentence and one.due_at and not explained:
            yield Trouble(
                crm=one.store.crm,
                store=one.store.code,
                report=one.report,
                code=one.code,
                message=one.sentence,
                since=one.due_at,
                times=1,
                last_at=one.due_at,
            )
