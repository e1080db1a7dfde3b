"""The command crm_download: exports sales reports of web CRMs and loads them into PostgreSQL.

Exit codes: 0 all good, 1 a store failed, 2 wrong usage, 3 a store needs a person, 4 configuration or database.
"""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from crm_assets.errors import (
    BrowserMissing,
    ConfigurationError,
    CrmError,
    NeedsPerson,
    WarehouseUnavailable,
    error_class,
)
from crm_assets.model import Store, Window, business_day, system_clock
from crm_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from crm_assets.pipeline.launch import Launched

OK, STORE_FAILED, USAGE, PERSON, INSTALLATION = range(5)
INSTALLATION_ERRORS = (ConfigurationError, WarehouseUnavailable, BrowserMissing)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

CrmOption = Annotated[str, typer.Option("--crm", help="td or uc; the CRMs of stores.yaml.")]
StoreOption = Annotated[str, typer.Option("--store", help="A store's code, or 'all'.")]
PaceOption = Annotated[Literal["real", "instant"], typer.Option(help="Realistic waits of the portals, or none.")]


def main() -> None:
    """Run the command; an error ends as one message on standard error and its exit code."""
    try:
        app()
    except CrmError as error:
        typer.secho(str(error), fg="red", err=True)
        raise SystemExit(_code_of(type(error))) from None


@app.command()
def download(
    crm: CrmOption,
    store: StoreOption,
    first: Annotated[
        str, typer.Option("--from", help="YYYY-MM-DD, today or yesterday; left out: the last day the warehouse knows.")
    ] = "",
    last: Annotated[str, typer.Option("--to", help="YYYY-MM-DD, today or yesterday.")] = "today",
    headless: Annotated[bool | None, typer.Option("--headless/--headed", help="Instead of CRM_HEADLESS.")] = None,
    keep_files: Annotated[
        bool | None, typer.Option("--keep-files/--delete-files", help="Instead of CRM_KEEP_FILES.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per store.")] = False,
) -> None:
    """Export, prove and load a report for one store or all of a CRM."""
    settings = load_settings()
    wanted = _stores(settings, crm, store)
    end = _day(last, "--to")
    begin = _day(first, "--from") if first else None
    _refuse_window(settings, crm, begin, end)

    from crm_assets import terminal
    from crm_assets.pipeline.launch import Task, launch

    _migrate(settings)
    tasks = [
        Task(store=one, window=_window(settings, one, begin, end), keep_file=keep_files, headless=headless)
        for one in wanted
    ]
    finished = terminal.collected(launch(settings, tasks), tasks)
    if as_json:
        for one in finished:
            typer.echo(json.dumps(terminal.as_object(one)))
    else:
        terminal.show_results(finished)
    raise typer.Exit(_exit_code(finished))


@app.command()
def bootstrap(crm: CrmOption, store: StoreOption) -> None:
    """Sign in to a store in a browser window, once, and keep its session."""
    settings = load_settings()
    wanted = _stores(settings, crm, store)

    from crm_assets import multi_crm_downloader
    from crm_assets.warehouse.sessions import account_lock

    url = _migrate(settings)
    for one in wanted:
        typer.echo(f"{one}: sign in in the browser window; it closes by itself.")
        with account_lock(url, one, timeout=60):
            profile = multi_crm_downloader.bootstrap(settings, one)
        _record_signed_in(url, one)
        typer.echo(f"{one}: session saved in {profile}")


@app.command()
def migrate() -> None:
    """Bring the database to the tables this version expects; twice does no harm."""
    from crm_assets.warehouse.connection import place
    from crm_assets.warehouse.embedded import database_url
    from crm_assets.warehouse.migrate import migrate as apply_pending

    url = database_url(load_settings())
    applied = apply_pending(url)
    typer.echo(f"{place(url)}: {', '.join(applied) or 'nothing to do, every migration is applied'}")


@app.command()
def stores() -> None:
    """List the configured stores, and whether each has a login and a saved session."""
    from crm_assets.browser.sessions import profile_path
    from crm_assets.pipeline.reports import sources
    from crm_assets.terminal import show_stores

    settings = load_settings()
    show_stores(
        [
            (
                str(one),
                one.name,
                str(one.first_day),
                source.report.name,
                "set" if settings.credentials(one) else "not set",
                "saved" if profile_path(settings.profiles_dir, one).exists() else "none",
            )
            for source in sources(settings)
            for one in settings.stores(source.crm_code)
        ]
    )


@app.command()
def sandbox(pace: PaceOption = "real") -> None:
    """Serve the two portals locally, for hands and eyes, until Ctrl-C."""
    from crm_assets.demo import ENV_FILE, sandbox_installation
    from crm_assets.stack import ended_by_signals, until_ended

    with ended_by_signals(), sandbox_installation(pace, name="sandbox") as (settings, portals):
        typer.echo("\n".join(f"# {name:<10} {url}" for name, url in portals.urls.items()))
        typer.echo("\n# .env\n" + "\n".join(f"{name}='{value}'" for name, value in portals.secrets().items()))
        typer.echo(f"\n# stores.yaml\n{portals.stores_yaml()}")
        typer.echo(f"# Use it from another terminal: CRM_ENV_FILE={settings.local_dir / ENV_FILE} crm_download stores")
        until_ended()


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the table instead of serving the UI.")] = False,
    pace: PaceOption = "instant",
) -> None:
    """Show the whole pipeline on the sandbox portals: four stores, the last 14 days, the Dagster UI."""
    from crm_assets.demo import ENV_FILE, last_days, sandbox_installation
    from crm_assets.multi_crm_downloader import sign_in_all
    from crm_assets.pipeline.launch import launch
    from crm_assets.stack import ended_by_signals
    from crm_assets.terminal import collected, show_results, show_sales
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.overview import sales_by_store

    with ended_by_signals(), sandbox_installation(pace) as (settings, portals):
        url = _migrate(settings)
        tasks = last_days(settings)
        sign_in_all(settings, [task.store for task in tasks])
        finished = collected(launch(settings, tasks), tasks)
        show_results(finished)
        window = tasks[0].window
        with connect(url) as conn:
            show_sales(sales_by_store(conn, window.first, window.last), [task.store for task in tasks], window)
        if once:
            raise typer.Exit(_exit_code(finished))
        typer.echo(f"Sandbox portals (logins, clock, faults): {portals.urls['control']}")
        typer.echo(f"From another terminal: CRM_ENV_FILE={settings.local_dir / ENV_FILE} .venv/bin/crm_download stores")
        _serve(settings, "127.0.0.1", None)


@app.command()
def server(
    host: Annotated[str, typer.Option(help="Address the UI listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
) -> None:
    """Run Dagster's webserver and daemon for the configured stores, until Ctrl-C."""
    from crm_assets.pipeline.reports import sources
    from crm_assets.stack import ended_by_signals

    settings = load_settings()
    list(sources(settings))  # a wrong portal or site is refused here, not in a log file
    with ended_by_signals():
        _migrate(settings)
        _serve(settings, host, port)


def _serve(settings: Settings, host: str, port: int | None) -> None:
    from crm_assets.pipeline.instance import open_instance
    from crm_assets.stack import running

    with open_instance(settings), running(settings, host=host, port=port) as stack:
        typer.echo(f"Dagster UI: {stack.url}  (Ctrl-C ends all that was started)")
        stack.wait()


def _migrate(settings: Settings) -> str:
    """The database's URL, with every migration applied."""
    from crm_assets.warehouse.embedded import database_url
    from crm_assets.warehouse.migrate import migrate as apply_pending

    url = database_url(settings)
    apply_pending(url)
    return url


def _record_signed_in(url: str, store: Store) -> None:
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.sessions import record_state

    with connect(url) as conn:
        record_state(conn, store, "ok", None, system_clock(), signed_in=True)


def _stores(settings: Settings, crm: str, code: str) -> list[Store]:
    try:
        return list(settings.stores(crm)) if code == "all" else [settings.store(crm, code)]
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None


def _day(text: str, option: str) -> date:
    """A day as people write it. Raises typer's usage error."""
    today = business_day(system_clock)
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        return named.get(text) or date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: expected YYYY-MM-DD, today or yesterday, found {text!r}") from None


def _refuse_window(settings: Settings, crm: str, begin: date | None, end: date) -> None:
    """Raise typer's usage error for a window that is reversed, in the future, or before the stores' first day."""
    today, first = business_day(system_clock), min(store.first_day for store in settings.stores(crm))
    if end > today:
        _wrong(f"--to: {end} is in the future; in Kolkata it is {today}")
    if begin and begin > end:
        _wrong(f"--from {begin} is after --to {end}; give the earlier day first")
    if min(begin or end, end) < first:
        _wrong(f"{begin or end} is before {first}, the first day of {crm} in stores.yaml (first_day)")


def _wrong(message: str) -> NoReturn:
    raise typer.BadParameter(message)


def _window(settings: Settings, store: Store, begin: date | None, end: date) -> Window:
    """The asked days; without a begin, from the last day the warehouse knows (it may have been half a day then)."""
    from crm_assets.pipeline.reports import source_of
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.embedded import database_url
    from crm_assets.warehouse.overview import last_known_day

    if begin is None:
        with connect(database_url(settings)) as conn:
            known = last_known_day(conn, source_of(settings, store.crm).report, store)
        begin = min(known or store.first_day, end)
    return Window(first=begin, last=end)


def _exit_code(finished: Sequence["Launched"]) -> int:
    """The gravest store decides: the installation, then a person, then any failure."""
    codes = {OK if one.outcome.ok else _code_of(error_class(one.outcome.error_code)) for one in finished}
    return max(codes, default=OK)


def _code_of(error: type[CrmError]) -> int:
    if issubclass(error, INSTALLATION_ERRORS):
        return INSTALLATION
    return PERSON if issubclass(error, NeedsPerson) else STORE_FAILED
