"""``script/bench``: one command for each bench. Exit code 1 when a figure is not what is wanted."""

from typing import Annotated

import typer
from rich.console import Console

from crm_assets_tests.bench import backfill, figures, month, parallel, refresh, startup

WIDE = 120  # where there is no terminal to ask
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]


@app.callback()
def bench() -> None:
    """Measures this project. Needs no account, no network and no database server."""


@app.command("month")
def month_command(
    days: Annotated[int, typer.Option(min=1, help="How many days to simulate.")] = 30, as_json: AsJson = False
) -> None:
    """Thirty days of sensors, ledger and loaders under production's failures, by a clock that is moved."""
    _show(list(month.figures(days)), as_json=as_json)


@app.command("refresh")
def refresh_command(as_json: AsJson = False) -> None:
    """A store-day through a whole Dagster run, against a bare script; at instant and at real pace."""
    _show(list(refresh.figures()), as_json=as_json)


@app.command("parallel")
def parallel_command(as_json: AsJson = False) -> None:
    """Four stores at once, against the slowest of them alone; at real pace."""
    _show(list(parallel.figures()), as_json=as_json)


@app.command("backfill")
def backfill_command(as_json: AsJson = False) -> None:
    """Ninety days of four stores as a backfill, against one run for each partition."""
    _show(list(backfill.figures()), as_json=as_json)


@app.command("startup")
def startup_command(as_json: AsJson = False) -> None:
    """How long a command takes to say anything, and a code location to load."""
    _show(list(startup.figures()), as_json=as_json)


def _show(found: list[figures.Figure], *, as_json: bool) -> None:
    console = Console()
    figures.show(console if console.is_terminal else Console(width=WIDE), found, as_json=as_json)
    if any(one.ok is False for one in found):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
