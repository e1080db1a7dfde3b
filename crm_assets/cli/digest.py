"""``crm_download digest``: the day's sales in the terminal, and as a page and a workbook."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_assets.cli.options import STORE_FAILED, JsonOption, load_settings, migrated, named_day, wrong_usage
from crm_assets.errors import ConfigurationError
from crm_assets.model import business_day, system_clock

if TYPE_CHECKING:
    from crm_assets.digest.figures import Digest
    from crm_assets.digest.files import DigestFiles
    from crm_assets.settings import Settings


def digest(
    day: Annotated[str, typer.Option("--date", help="YYYY-MM-DD, today or yesterday.")] = "today",
    output: Annotated[
        Path | None, typer.Option("--output", help="Folder of the page and the workbook, instead of CRM_DIGESTS_DIR.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to the addresses of CRM_DIGEST_URLS, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The day's sales, the month's and last month's of every store. Exits with 1 when the tables do not bear them out."""
    settings, wanted = load_settings(), named_day(day, "--date")
    if wanted > business_day(system_clock):
        wrong_usage(f"--date: {wanted} is in the future")

    from crm_assets import terminal
    from crm_assets.digest.files import write_digest
    from crm_assets.pipeline.day_figures import read_digest
    from crm_assets.warehouse.connection import connect

    with connect(migrated(settings)) as conn:
        found = read_digest(conn, settings, wanted, system_clock())
    if not found.sales:
        wrong_usage(f"--date: no store had opened on {wanted}: see the first_day of each in stores.yaml")
    files = write_digest(output or settings.digests_dir, found)
    if as_json:
        typer.echo(json.dumps(terminal.digest_as_object(found, files)))
    else:
        terminal.show_digest(found, files)
    if send:
        _send(settings, found, files)
    if found.mismatches:
        typer.secho(
            f"The tables do not bear out {len(found.mismatches)} of the figures: see RECONCILIATION FAILED", err=True
        )
        raise typer.Exit(STORE_FAILED)


def _send(settings: "Settings", found: "Digest", files: "DigestFiles") -> None:
    """Raises ConfigurationError when nobody took it: now somebody is there to look."""
    from crm_assets.credentials import addresses
    from crm_assets.digest.post import send
    from crm_assets.notify import Undelivered
    from crm_assets.settings import DIGEST_URLS

    urls = addresses(settings, DIGEST_URLS)
    if not urls:
        raise ConfigurationError(
            f"{DIGEST_URLS}: expected addresses as Apprise has them, found none. "
            f"Example: {DIGEST_URLS}=mailtos://user:password@mail.example.com?to=owner@example.com"
        )
    try:
        failed = send(urls, found, files)
    except Undelivered as error:
        failed = [str(error)]
    if failed:
        raise ConfigurationError(f"{DIGEST_URLS}: the digest was not delivered: {'; '.join(failed)}")
    typer.secho(f"sent to {len(urls)} address{'es' * (len(urls) > 1)}", err=True)
