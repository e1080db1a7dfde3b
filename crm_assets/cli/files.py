"""``crm_download ingest`` and ``rebuild``: loading what a person exported, and what is staged already."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.downloads import show_and_exit
from crm_assets.cli.options import (
    OK,
    AcceptShrinkOption,
    EveryCrm,
    EveryStore,
    JsonOption,
    ReportOption,
    every_source,
    exit_code_of,
    load_settings,
    migrated,
    named_day,
    wrong_usage,
)
from crm_assets.model import IST, Report, Store, Window, business_day, system_clock

if TYPE_CHECKING:
    from crm_assets.pipeline.given import GivenFile
    from crm_assets.pipeline.launch import Launched
    from crm_assets.settings import Settings

REFUSED_AT = re.compile(r"^\d{8}-\d{6}_")  # what landing puts before the name of a file that it sets aside
WINDOW_IN_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_to_(\d{4}-\d{2}-\d{2})")


def ingest(
    files: Annotated[
        list[Path], typer.Argument(help="Workbooks as the portal exports them.", exists=True, dir_okay=False)
    ],
    crm: Annotated[str, typer.Option("--crm", help="Where the names do not say it: td or uc.")] = "",
    store: Annotated[str, typer.Option("--store", help="Where the names do not say it: the store's code.")] = "",
    first: Annotated[
        str, typer.Option("--from", help="Where the names do not say it: the first day, YYYY-MM-DD.")
    ] = "",
    last: Annotated[str, typer.Option("--to", help="Where the names do not say it: the last day, YYYY-MM-DD.")] = "",
    exported_at: Annotated[
        datetime | None,
        typer.Option(help="When they were exported, in Kolkata; left out: when each file was last written."),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=0, help="How many rows the portal showed: proves an empty file.")
    ] = None,
    report: ReportOption = "",
    accept_shrink: AcceptShrinkOption = False,
    as_json: JsonOption = False,
) -> None:
    """Load workbooks that a person exported by hand, through the same proof and ledger; the files stay."""
    settings = load_settings()
    given = [
        _given(
            settings,
            file,
            _store_of(settings, file, crm, store, report),
            _window_of(file, first, last),
            exported_at=exported_at,
            rows=rows,
        )
        for file in files
    ]
    show_and_exit(list(_ingested(settings, given, accept_shrink=accept_shrink)), as_json=as_json)


def rebuild(
    first: Annotated[str, typer.Option("--from", help="YYYY-MM-DD, today or yesterday.")],
    last: Annotated[str, typer.Option("--to", help="YYYY-MM-DD, today or yesterday.")],
    crm: EveryCrm = "",
    store: EveryStore = "all",
) -> None:
    """Bring the facts of these days in line with the staged rows, by today's rules; nothing is downloaded."""
    settings = load_settings()
    wanted = list(every_source(settings, crm, store))
    begin, end = named_day(first, "--from"), named_day(last, "--to")
    if begin > end:
        wrong_usage(f"--from {begin} is after --to {end}; give the earlier day first")

    from crm_assets import terminal
    from crm_assets.pipeline.reload import loading
    from crm_assets.pipeline.reload import rebuild as read_anew

    with loading(settings, migrated(settings)) as at:
        done = [read_anew(at, report, one, Window(first=begin, last=end)) for report, one in wanted]
    terminal.show_reloaded(done)
    raise typer.Exit(max((exit_code_of(type(one.error)) for one in done if one.error), default=OK))


def _ingested(settings: "Settings", given: "list[GivenFile]", *, accept_shrink: bool) -> "Iterator[Launched]":
    """Each file, oldest export first: so that an older one among them does not come too late."""
    from crm_assets.pipeline.launch import Launched, Task
    from crm_assets.pipeline.reload import ingest as load
    from crm_assets.pipeline.reload import loading
    from crm_assets.warehouse.outcomes import outcome_of_run

    with loading(settings, migrated(settings)) as at:
        for one in sorted(given, key=lambda each: each.exported_at):
            run_id = load(at, one, accept_shrink=accept_shrink)
            yield Launched(
                task=Task(store=one.store, report=one.report, window=one.window),
                outcome=outcome_of_run(at.conn, run_id),
            )


def _given(
    settings: "Settings",
    file: Path,
    of: tuple[Report, Store],
    window: Window,
    *,
    exported_at: datetime | None,
    rows: int | None,
) -> "GivenFile":
    """What a file is, and when it was exported: never later than now."""
    from crm_assets.pipeline.given import GivenFile

    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return GivenFile(
        file=file,
        store=of[1],
        report=of[0],
        window=window,
        exported_at=min(exported_at.replace(tzinfo=IST) if exported_at else written, system_clock()),
        rows=rows,
    )


def _store_of(settings: "Settings", file: Path, crm: str, store: str, report: str) -> tuple[Report, Store]:
    """The one report and store that the options and the file's name allow. Raises typer's usage error when that leaves it open.

    A name tells its report by our own prefix only; where it does not, a CRM's first report is meant.
    """
    allowed = [(each, one) for each, one in every_source(settings, crm, store or "all") if report in ("", each.name)]
    named = [(each, one) for each, one in allowed if _names_report(file.name, each)] or _of_first_reports(allowed)
    if not (store and len(named) == 1):
        named = [(each, one) for each, one in named if _names_store(file.name, each, one)]
    if len(named) != 1:
        wrong_usage(
            f"{file.name}: expected a name that tells its report and store, such as "
            "TD_OrderReport_UttamNagar_2025-11-12_to_2025-11-12.xlsx. Give --crm and --store, and --report where it is not "
            "the CRM's first"
        )
    return named[0]


def _of_first_reports(allowed: list[tuple[Report, Store]]) -> list[tuple[Report, Store]]:
    """Those of the report that stands first for its store."""
    first: dict[Store, tuple[Report, Store]] = {}
    for report, store in allowed:
        first.setdefault(store, (report, store))
    return list(first.values())


def _names_report(name: str, report: Report) -> bool:
    return REFUSED_AT.sub("", name).startswith(f"{report.file_prefix}_")


def _names_store(name: str, report: Report, store: Store) -> bool:
    name = REFUSED_AT.sub("", name)
    words = re.split(r"[^a-z0-9]+", name.lower())
    prefixes = [prefix.lower() for prefix in (store.booking_prefix, store.file_prefix) if prefix]
    return (
        name.startswith(f"{report.file_prefix}_{store.file_name_part}_")
        or (words[0] == store.crm and store.code in words)
        or words[0] in prefixes
        or (words[0] == store.crm and any(prefix in words for prefix in prefixes))
    )


def _window_of(file: Path, first: str, last: str) -> Window:
    """The days that the options give, or else the file's name."""
    if first or last:
        begin, end = named_day(first or last, "--from"), named_day(last or first, "--to")
    elif found := WINDOW_IN_NAME.search(file.name):
        begin, end = named_day(found[1], file.name), named_day(found[2], file.name)
    else:
        wrong_usage(
            f"{file.name}: expected a name with the days in it, ..._2025-11-01_to_2025-11-30.xlsx. Give --from and --to"
        )
    if begin > end or end > business_day(system_clock):
        wrong_usage(f"{file.name}: expected days in order, up to today, found {begin} to {end}")
    return Window(first=begin, last=end)
