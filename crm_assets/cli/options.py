"""What the commands have in common: options, stores by name, exit codes, and a database brought up to date."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from crm_assets.errors import (
    BrowserMissing,
    ConfigurationError,
    CrmError,
    DiskFull,
    NeedsPerson,
    StoreSkipped,
    WarehouseUnavailable,
    in_full,
)
from crm_assets.model import Report, Store, business_day, system_clock

if TYPE_CHECKING:
    from crm_assets.settings import Settings

OK, STORE_FAILED, USAGE, PERSON, INSTALLATION = range(5)
INSTALLATION_ERRORS = (ConfigurationError, WarehouseUnavailable, BrowserMissing, DiskFull)

CrmOption = Annotated[str, typer.Option("--crm", help="td or uc; the CRMs of stores.yaml.")]
StoreOption = Annotated[str, typer.Option("--store", help="A store's code, or 'all'.")]
ReportOption = Annotated[
    str, typer.Option("--report", help="One report by name, such as order_report; left out: every one of the CRM.")
]
EveryCrm = Annotated[str, typer.Option("--crm", help="td or uc; left out: every CRM.")]
EveryStore = Annotated[str, typer.Option("--store", help="A store's code, or 'all'.")]
PaceOption = Annotated[Literal["real", "instant"], typer.Option(help="Realistic waits of the portals, or none.")]
TraceOption = Annotated[
    bool,
    typer.Option("--trace", help="Keep a Playwright trace. It holds cookies and what is typed: for your eyes only."),
]
AcceptShrinkOption = Annotated[
    bool, typer.Option("--accept-shrink", help="Load a file that lacks many of the loaded rows: they are rightly gone.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object per line instead of a table.")]


def exit_code_of(error: type[CrmError]) -> int:
    """What an error means to cron: a skipped store is no failure."""
    if issubclass(error, StoreSkipped):
        return OK
    if issubclass(error, INSTALLATION_ERRORS):
        return INSTALLATION
    return PERSON if issubclass(error, NeedsPerson) else STORE_FAILED


def one_by_one(stores: Iterable[Store], work: Callable[[Store], None]) -> int:
    """Do it for every store, whatever happens to another; errors are told as they come. Returns the gravest exit code."""
    code = OK
    for store in stores:
        try:
            work(store)
        except CrmError as error:
            tell(error, str(store))
            code = max(code, exit_code_of(type(error)))
    return code


def tell(error: CrmError, account: str = "") -> None:
    """One message on standard error, what to do about it, and where its evidence lies."""
    typer.secho(in_full(error, account), fg="red", err=True)
    if error.evidence:
        typer.secho(f"Evidence: {error.evidence}", err=True)


def load_settings() -> "Settings":
    """The installation's. What reads them is imported once a command does: ``--help`` is there in an instant."""
    from crm_assets import settings

    return settings.load_settings()


def named_stores(settings: "Settings", crm: str, code: str) -> list[Store]:
    """The stores a person named. Raises typer's usage error."""
    try:
        return list(settings.stores(crm)) if code == "all" else [settings.store(crm, code)]
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None


def every_source(settings: "Settings", crm: str, code: str) -> Iterator[tuple[Report, Store]]:
    """Every report of the stores a person named, of every CRM where none was. Raises typer's usage error."""
    from crm_assets.pipeline.reports import sources

    if code != "all" and not crm:
        wrong_usage("--store needs --crm: two CRMs may have stores of one code")
    if crm:
        named_stores(settings, crm, code)
    for source in sources(settings):
        if crm in ("", source.crm_code):
            for store in named_stores(settings, source.crm_code, code):
                yield source.report, store


def named_reports(settings: "Settings", crm: str, name: str) -> list[Report]:
    """The reports of a CRM that a person named, all of them for no name. Raises typer's usage error."""
    from crm_assets.pipeline.reports import sources_of

    there = {source.report.name: source.report for source in sources_of(settings, crm)}
    if name and name not in there:
        wrong_usage(f"--report: expected one of {', '.join(there)}, found {name!r}")
    return [there[name]] if name else list(there.values())


def named_day(text: str, option: str) -> date:
    """A day as people write it. Raises typer's usage error."""
    today = business_day(system_clock)
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        return named.get(text) or date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option}: expected YYYY-MM-DD, today or yesterday, found {text!r}") from None


def wrong_usage(message: str) -> NoReturn:
    raise typer.BadParameter(message)


def migrated(settings: "Settings") -> str:
    """The database's URL, with every migration applied and every column of the configured reports there."""
    from crm_assets.pipeline.reports import sources
    from crm_assets.warehouse.embedded import database_url
    from crm_assets.warehouse.migrate import migrate

    url = database_url(settings)
    migrate(url, [source.report for source in sources(settings)])
    return url
