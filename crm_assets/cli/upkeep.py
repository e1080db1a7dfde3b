"""``crm_download tidy``: deletes what is no longer kept."""

import dataclasses
import json
import sys

import typer

from crm_assets.cli.options import JsonOption, load_settings, migrated
from crm_assets.model import system_clock


def tidy(as_json: JsonOption = False) -> None:
    """Delete what is no longer kept: raw and refused files, evidence, what killed runs left, lines of Dagster's log."""
    from crm_assets import logs
    from crm_assets.pipeline import retention
    from crm_assets.warehouse.connection import connect

    logs.to_stream(sys.stderr)
    settings = load_settings()
    with connect(migrated(settings)) as conn:
        deleted = dataclasses.asdict(retention.tidy(settings, conn, system_clock()))
    if as_json:
        typer.echo(json.dumps(deleted))
    else:
        typer.echo("\n".join(f"{name.replace('_', ' ')}: {count} deleted" for name, count in deleted.items()))
