"""``script/bench``: one command for each bench. Exit code 1 when a figure is not what is wanted."""

from collections.abc import Callable, Iterator
from typing import Annotated

import typer
from rich.console import Console

from crm_assets_tests.bench import (
    backfill,
    figures,
    idle,
    load,
    month,
    page,
    parallel,
    refresh,
    scale,
    startup,
    tick,
    unchanged,
    way,
)

WIDE = 150  # where there is no terminal to ask
BENCHES = (refresh, parallel, backfill, load, unchanged, tick, scale, idle, startup, way)
app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")]


@app.callback()
def bench() -> None:
    """Measures this project. Needs no account and no database server; what it compares with is installed when it is needed."""


@app.command("month")
def month_command(
    days: Annotated[int, typer.Option(min=1, help="How many days to simulate.")] = 30, as_json: AsJson = False
) -> None:
    """Thirty days of sensors, ledger and loaders under production's failures, by a clock that is moved."""
    _show("month", month.figures(days), as_json=as_json)


@app.command("page")
def page_command() -> None:
    """Write docs/performance.md from the newest results of every bench."""
    typer.echo(f"written: {page.write(BENCHES)}")


def _command(name: str, measure: Callable[[], Iterator[figures.Figure]]) -> Callable[..., None]:
    def command(as_json: AsJson = False) -> None:
        _show(name, measure(), as_json=as_json)

    return command


for one in BENCHES:
    app.command(page.word(one), help=page.summary(one))(_command(page.word(one), one.figures))


def _show(name: str, measuring: Iterator[figures.Figure], *, as_json: bool) -> None:
    found, console = list(measuring), Console()
    page.keep(name, found)
    figures.show(console if console.is_terminal else Console(width=WIDE), found, as_json=as_json)
    if any(one.ok is False for one in found):
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
