"""The command crm_download: exports sales reports of web CRMs and loads them into PostgreSQL.

Exit codes: 0 all good, 1 a store failed, 2 wrong usage, 3 a store needs a person, 4 configuration or database.
"""

import gc

import typer

from crm_assets.cli.accounts import bootstrap, sessions_app
from crm_assets.cli.alerts import alerts
from crm_assets.cli.checkup import doctor
from crm_assets.cli.digest import digest
from crm_assets.cli.downloads import download
from crm_assets.cli.files import ingest, rebuild
from crm_assets.cli.installation import demo, migrate, sandbox, server, stores, tables
from crm_assets.cli.options import exit_code_of, tell
from crm_assets.cli.refresh import refresh
from crm_assets.cli.rejects import rejects_app
from crm_assets.cli.status import status
from crm_assets.cli.upkeep import tidy
from crm_assets.errors import CrmError

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.command()(download)
app.command()(refresh)
app.command()(status)
app.command()(digest)
app.command()(ingest)
app.add_typer(rejects_app, name="rejects")
app.command()(rebuild)
app.command()(bootstrap)
app.add_typer(sessions_app, name="sessions")
app.command()(alerts)
app.command()(stores)
app.command()(doctor)
app.command()(migrate)
app.command()(tables)
app.command()(tidy)
app.command()(server)
app.command()(sandbox)
app.command()(demo)


def main() -> None:
    """Run the command; an error ends as one message on standard error and its exit code."""
    try:
        app()
    except CrmError as error:
        tell(error)
        raise SystemExit(exit_code_of(type(error))) from None
    finally:
        gc.freeze()  # else Python looks through all that was imported before it ends: a sixth of a short command's time
