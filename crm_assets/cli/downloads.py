"""``crm_download download``: export, prove and load, one run per store."""

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from crm_assets.cli.options import (
    OK,
    AcceptShrinkOption,
    CrmOption,
    JsonOption,
    ReportOption,
    StoreOption,
    TraceOption,
    exit_code_of,
    load_settings,
    migrated,
    named_day,
    named_reports,
    named_stores,
    wrong_usage,
)
from crm_assets.errors import error_class
from crm_assets.model import Report, Store, Window, business_day, system_clock

if TYPE_CHECKING:
    from crm_assets.pipeline.launch import Launched
    from crm_assets.settings import Settings


def download(
    crm: CrmOption,
    store: StoreOption,
    report: ReportOption = "",
    first: Annotated[
        str, typer.Option("--from", help="YYYY-MM-DD, today or yesterday; left out: the last day the warehouse knows.")
    ] = "",
    last: Annotated[str, typer.Option("--to", help="YYYY-MM-DD, today or yesterday.")] = "today",
    headless: Annotated[bool | None, typer.Option("--headless/--headed", help="Instead of CRM_HEADLESS.")] = None,
    keep_files: Annotated[
        bool | None, typer.Option("--keep-files/--delete-files", help="Instead of CRM_KEEP_FILES.")
    ] = None,
    accept_shrink: AcceptShrinkOption = False,
    trace: TraceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export, prove and load the reports of one store or of all of a CRM's."""
    settings = load_settings()
    wanted = [
        (one, each) for one in named_stores(settings, crm, store) for each in named_reports(settings, crm, report)
    ]
    end = named_day(last, "--to")
    begin = named_day(first, "--from") if first else None
    _refuse_window(settings, crm, begin, end)

    from crm_assets import terminal
    from crm_assets.pipeline.launch import Task, launch

    migrated(settings)
    tasks = [
        Task(
            store=one,
            report=each,
            window=_window(settings, each, one, begin, end),
            keep_file=keep_files,
            headless=headless,
            trace=trace,
            accept_shrink=accept_shrink,
        )
        for one, each in wanted
    ]
    finished = terminal.collected(launch(settings, tasks), tasks)
    show_and_exit(finished, as_json=as_json)


def show_and_exit(finished: Sequence["Launched"], *, as_json: bool, at_least: int = OK) -> NoReturn:
    """What came of every run, as a table or as one JSON object per line; then the command ends with the gravest code."""
    from crm_assets import terminal

    if as_json:
        for one in finished:
            typer.echo(json.dumps(terminal.as_object(one)))
    else:
        terminal.show_results(finished)
    raise typer.Exit(max(exit_code(finished), at_least))


def exit_code(finished: Sequence["Launched"]) -> int:
    """The gravest store decides: the installation, then a person, then any failure."""
    codes = {OK if one.outcome.ok else exit_code_of(error_class(one.outcome.error_code)) for one in finished}
    return max(codes, default=OK)


def _refuse_window(settings: "Settings", crm: str, begin: date | None, end: date) -> None:
    """Raise typer's usage error for a window that is reversed, in the future, or before the stores' first day."""
    today, first = business_day(system_clock), min(store.first_day for store in settings.stores(crm))
    if end > today:
        wrong_usage(f"--to: {end} is in the future; in Kolkata it is {today}")
    if begin and begin > end:
        wrong_usage(f"--from {begin} is after --to {end}; give the earlier day first")
    if min(begin or end, end) < first:
        wrong_usage(f"{begin or end} is before {first}, the first day of {crm} in stores.yaml (first_day)")


def _window(settings: "Settings", report: Report, store: Store, begin: date | None, end: date) -> Window:
    """The asked days; without a begin, from the last day the warehouse knows (it may have been half a day then)."""
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.embedded import database_url
    from crm_assets.warehouse.overview import last_known_day

    if begin is None:
        with connect(database_url(settings)) as conn:
            known = last_known_day(conn, report, store)
        begin = min(known or store.first_day, end)
    return Window(first=begin, last=end)
