"""``crm_download status``: how fresh each store's data is, and what stands in the way."""

import json

import typer

from crm_assets.cli.options import OK, STORE_FAILED, EveryCrm, JsonOption, load_settings, migrated
from crm_assets.model import system_clock


def status(crm: EveryCrm = "", as_json: JsonOption = False) -> None:
    """Each store: its state, the last good refresh, missing days, open rejects, the next slot. Exits with 1 when one is late."""
    from crm_assets import terminal
    from crm_assets.pipeline.health import health
    from crm_assets.warehouse.connection import connect

    settings, now = load_settings(), system_clock()
    if crm:
        settings.crm(crm)
    with connect(migrated(settings)) as conn:
        found = [one for one in health(conn, settings, now) if crm in ("", one.store.crm)]
    if as_json:
        for one in found:
            typer.echo(json.dumps(terminal.health_as_object(one, now)))
    else:
        terminal.show_health(found, now)
    raise typer.Exit(STORE_FAILED if any(one.is_late for one in found) else OK)
