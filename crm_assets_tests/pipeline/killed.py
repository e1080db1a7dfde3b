"""A load in a process of its own that is killed before its n-th word to the database: what ``test_killed.py`` starts."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from crm_assets.errors import NothingLanded
from crm_assets.pipeline import books
from crm_assets.pipeline.examine import prove, typed_export
from crm_assets_tests.pipeline.desk import Desk


def take_up(desk: Desk, days: Sequence[date]) -> None:
    """What a run does for these days: prove and stage the landed file, load what is staged, let the file go.

    When a file was let go already, the facts alone are brought in line, as a run of their asset would.
    """
    with desk.connected() as conn:
        with suppress(NothingLanded):
            for file in books.landed_files(conn, desk.report, "a668", days):
                books.stage_file(conn, desk.report, prove(desk.settings, desk.report, file), desk.guard, "a run")
        for export in books.staged_exports(conn, desk.report, "a668", days):
            books.load_export(conn, desk.report, typed_export(desk.report, export), "a run")
            books.let_go(conn, export)


def killed_at(word: int, url: str, folder: Path, days: Sequence[date]) -> None:
    """Take up the days and die, without a goodbye to anyone, before this exchange with the server."""
    words, wait = count(), psycopg.Connection.wait

    def counted(conn: Any, *arguments: Any, **options: Any) -> Any:
        if next(words) == word:
            os.kill(os.getpid(), signal.SIGKILL)
        return wait(conn, *arguments, **options)

    psycopg.Connection.wait = counted  # type: ignore[method-assign]
    take_up(Desk(url=url, folder=folder), days)
