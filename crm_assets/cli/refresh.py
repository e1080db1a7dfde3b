"""``crm_download refresh``: what is due, without Dagster's daemon; the command that cron runs."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.downloads import show_and_exit
from crm_assets.cli.options import CrmOption, JsonOption, migrated, named_stores
from crm_assets.model import system_clock
from crm_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from crm_assets.pipeline.launch import Task

JUST_NOW = timedelta(minutes=20)  # what the daemon has fetched since need not be fetched again


def refresh(
    crm: CrmOption,
    store: Annotated[str, typer.Option("--store", help="A store's code, or 'all'.")] = "all",
    upkeep: Annotated[
        bool, typer.Option("--upkeep", help="Then send alerts and delete what is no longer kept, as the daemon would.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fetch today and yesterday of a CRM's stores, days that are missing, and at night the last weeks: what the sensors do.

    What another run has just fetched is left out, and so is a store whose account waits for a person.
    """
    settings = load_settings()
    wanted = {each.code for each in named_stores(settings, crm, store)}

    from crm_assets import terminal
    from crm_assets.pipeline.launch import launch

    migrated(settings)
    tasks = [task for task in _due(settings, crm, system_clock()) if task.store.code in wanted]
    finished = terminal.collected(launch(settings, tasks), tasks)
    if upkeep:
        _look_after(settings)
    show_and_exit(finished, as_json=as_json)


def _due(settings: Settings, crm: str, now: datetime) -> "list[Task]":
    """The tasks of this moment: the refresh of every store, then the settling and the missing days that are due."""
    from crm_assets.pipeline.instance import open_instance
    from crm_assets.pipeline.launch import Task
    from crm_assets.pipeline.planning import due_now
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.embedded import database_url

    with open_instance(settings) as instance, connect(database_url(settings)) as conn:
        plan = due_now(conn, settings, instance, crm, now, refreshed_since=now - JUST_NOW)
    for left in plan.left_out:
        store = str(left.want.store)
        typer.secho(f"{store} {left.want.window}: {left.reason.removeprefix(f'{store}: ')}", err=True)
    if not plan.asked:
        typer.secho("nothing is due", err=True)
    return [Task(store=asked.want.store, window=asked.want.window, want=asked.want) for asked in plan.asked]


def _look_after(settings: Settings) -> None:
    from crm_assets.pipeline.upkeep import look_after
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.embedded import database_url

    with connect(database_url(settings)) as conn:
        look_after(settings, conn, system_clock, and_tidy=True)
