"""``crm_download stores``, ``migrate``, ``tables``, ``server``, ``sandbox`` and ``demo``: the installation, or a sandbox."""

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.downloads import exit_code
from crm_assets.cli.options import (
    CrmOption,
    PaceOption,
    ReportOption,
    load_settings,
    migrated,
    named_reports,
    named_stores,
    wrong_usage,
)

if TYPE_CHECKING:
    from crm_assets.settings import Settings


def migrate() -> None:
    """Bring the database to the tables this version expects; twice does no harm."""
    from crm_assets.pipeline.reports import sources
    from crm_assets.warehouse.connection import place
    from crm_assets.warehouse.embedded import database_url
    from crm_assets.warehouse.migrate import migrate as apply_pending

    settings = load_settings()
    url = database_url(settings)
    applied = apply_pending(url, [source.report for source in sources(settings)])
    typer.echo(f"{place(url)}: {', '.join(applied) or 'nothing to do, every migration is applied'}")


def tables(
    crm: CrmOption,
    report: ReportOption = "",
    save_as: Annotated[
        str, typer.Option("--save-as", help="A name: write it to sql/ as the next migration, instead of printing it.")
    ] = "",
) -> None:
    """Print the SQL that makes the tables of a CRM's reports, as a migration for a new portal or report."""
    from crm_assets.files import write_whole
    from crm_assets.warehouse.migrate import newest_migration, next_migration
    from crm_assets.warehouse.tables import migration_of

    settings = load_settings()
    named_stores(settings, crm, "all")
    if save_as and not re.fullmatch(r"[a-z][a-z0-9_]*", save_as):
        wrong_usage(f"--save-as: expected small letters, digits and _, such as freshfold, found {save_as!r}")
    text = migration_of(named_reports(settings, crm, report), depends=newest_migration())
    if not save_as:
        typer.echo(text, nl=False)
        return
    file = next_migration(save_as)
    write_whole(file, text.encode(), mode=0o644)
    typer.echo(f"{file}: read it, then run: crm_download migrate")


def stores() -> None:
    """List the configured stores, and whether each has a login and a saved session."""
    from crm_assets.account import profiles_of
    from crm_assets.credentials import has_login
    from crm_assets.pipeline.reports import sources
    from crm_assets.terminal import show_stores

    settings = load_settings()
    profiles = profiles_of(settings)
    show_stores(
        [
            (
                str(one),
                one.name,
                str(one.first_day),
                source.report.name,
                "set" if has_login(settings, one) else "not set",
                "saved" if profiles.path(one).exists() else "none",
            )
            for source in sources(settings)
            for one in settings.stores(source.crm_code)
        ]
    )


def server(
    host: Annotated[str, typer.Option(help="Address the UI listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
) -> None:
    """Run Dagster's webserver and daemon for the configured stores, until Ctrl-C. What ends by itself is started again."""
    from crm_assets import logs
    from crm_assets.pipeline.reports import sources
    from crm_assets.stack import ended_by_signals

    settings = load_settings()
    list(sources(settings))  # a wrong portal or site is refused here, not in a log file
    logs.to_stream(sys.stderr)
    with ended_by_signals():
        migrated(settings)
        _serve(settings, host, port)


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


def demo(
    once: Annotated[bool, typer.Option("--once", help="Stop after the table instead of serving the UI.")] = False,
    pace: PaceOption = "instant",
) -> None:
    """Show the whole pipeline on the sandbox portals: four stores, the last 14 days, the Dagster UI."""
    from crm_assets.demo import ENV_FILE, last_days, sandbox_installation
    from crm_assets.pipeline.launch import launch
    from crm_assets.stack import ended_by_signals
    from crm_assets.terminal import collected, show_results, show_sales
    from crm_assets.warehouse.connection import connect
    from crm_assets.warehouse.overview import sales_by_store

    with ended_by_signals(), sandbox_installation(pace) as (settings, portals):
        url = migrated(settings)
        tasks = last_days(settings)
        finished = collected(launch(settings, tasks), tasks)
        show_results(finished)
        window = tasks[0].window
        with connect(url) as conn:
            show_sales(sales_by_store(conn, window.first, window.last), [task.store for task in tasks], window)
        if once:
            raise typer.Exit(exit_code(finished))
        typer.echo(f"Sandbox portals (logins, clock, faults): {portals.urls['control']}")
        typer.echo(f"From another terminal: CRM_ENV_FILE={settings.local_dir / ENV_FILE} .venv/bin/crm_download stores")
        _serve(settings, "127.0.0.1", None)


def _serve(settings: "Settings", host: str, port: int | None) -> None:
    from crm_assets.pipeline.instance import open_instance
    from crm_assets.stack import running

    with open_instance(settings), running(settings, host=host, port=port) as stack:
        typer.echo(f"Dagster UI: {stack.url}  (Ctrl-C ends all that was started)")
        stack.wait()
