"""``crm_download refresh``: what is due, without Dagster's daemon; the command that cron runs."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.downloads import show_and_exit
from crm_assets.cli.options import OK, PERSON, CrmOption, JsonOption, load_settings, migrated, named_stores
from crm_assets.model import system_clock

if TYPE_CHECKING:
    from crm_assets.pipeline.launch import Task
    from crm_assets.settings import Settings

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
    tasks, person = _due(settings, crm, wanted, system_clock())
    finished = terminal.collected(launch(settings, tasks), tasks)
    if upkeep:
        _look_after(settings)
    show_and_exit(finished, as_json=as_json, at_least=PERSON if person else OK)


def _due(settings: "Settings", crm: str, wanted: Set[str], now: datetime) -> "tuple[list[Task], bool]":
    """The tasks of this moment: the refresh of every store, then the settling and the missing days that are due; and whether a
    store is left out for want of a person.
    """
    from crm_assets.pipeline.instance import open_instance
    from crm_assets.pipeline.launch import Task
    from crm_assets.pipeline.planning import due_now
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.embedded import database_url

    with open_instance(settings) as instance, connect(database_url(settings)) as conn:
        plan = due_now(conn, settings, instance, crm, now, refreshed_since=now - JUST_NOW)
    asked = [each.want for each in plan.asked if each.want.store.code in wanted]
    left_out = [each for each in plan.left_out if each.want.store.code in wanted]
    for left in left_out:
        store = str(left.want.store)
        typer.secho(f"{store} {left.want.window}: {left.reason.removeprefix(f'{store}: ')}", err=True)
    if not asked:
        typer.secho("nothing is due", err=True)
    tasks = [Task(store=want.store, report=want.report, window=want.window, want=want) for want in asked]
    return tasks, any(left.person for left in left_out)


def _look_after(settings: "Settings") -> None:
    from crm_assets.pipeline.upkeep import look_after
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.embedded import database_url

    with connect(database_url(settings)) as conn:
        look_after(settings, conn, system_clock, and_tidy=True)
