"""A load that is killed between any two words to the database: the next run completes it as if nothing had been."""

import multiprocessing
import shutil
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.pipeline.desk import BUSINESS, Desk, at, order, window
from crm_assets_tests.pipeline.killed import killed_at, take_up

pytestmark = pytest.mark.no_cover  # so many turns of the same lines: what counts them would take longer than they do

DAYS = window(12, 13)
EARLIER = [
    order("T1", 12, order_status="Ready"),
    order("T2", 12),
    order("T3", 13),
    order("T4", 13, net_amount="a lot"),
]
LATER = [
    order("T1", 12, order_status="Delivered", customer_phone="12345"),
    order("T3", 13),
    order("T4", 13, net_amount=5),
    order("T5", 13),
    order("T6", 12, pieces="some"),
]
WITHOUT_TIMES = {
    "staging": "SELECT * FROM stg_td_order_report ORDER BY business_day, row_number",
    "slices": "SELECT business_day, ledger_id, row_count, confirmed_by FROM staging_slice ORDER BY 1",
    "facts": f"SELECT {BUSINESS}, warnings, row_hash, ledger_id, missing_since IS NULL FROM fact_td_orders ORDER BY 2",  # noqa: S608
    "history": """
        SELECT order_number, ledger_id, old - 'missing_since', new - 'missing_since', old ? 'missing_since'
        FROM fact_td_orders_history ORDER BY 1, history_id
        """,
    "rejects": "SELECT raw, problems, status, ledger_id, row_number FROM rejected_rows ORDER BY reject_id",
    "ledger": """
        SELECT ledger_id, status, error_code, row_count, content_md5, deleted_at IS NULL FROM download_ledger ORDER BY 1
        """,
    "audit": """
        SELECT sum(inserted_rows), sum(updated_rows), sum(missing_rows), count(DISTINCT ledger_id),
            bool_and(parsed_rows = inserted_rows + updated_rows + unchanged_rows + rejected_rows), max(rejected_rows)
        FROM ingest_audit
        """,
}


def told(desk: Desk) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the warehouse says, without the times at which it was told."""
    with desk.connected() as conn:
        return {name: conn.execute(query.encode()).fetchall() for name, query in WITHOUT_TIMES.items()}


class Begun:
    """An earlier export is loaded, a later one has landed; every ``copy`` starts from there."""

    def __init__(self, desk: Desk, server: str) -> None:
        self.server, self.template, self.folder = server, urlsplit(desk.url).path[1:], desk.folder
        desk.take(EARLIER, DAYS, 0)
        self.file = desk.landed(LATER, DAYS, at(1), keep_file=False).file
        self.kept = shutil.copy(self.file, desk.folder / "as landed.xlsx")

    def copy(self) -> Iterator[Desk]:
        with new_database(self.server, template=self.template) as url:
            shutil.copy(self.kept, self.file)
            yield Desk(url=url, folder=self.folder)


@pytest.fixture
def begun(desk: Desk, postgres_url: str) -> Begun:
    return Begun(desk, postgres_url)


def exit_code_when_killed_at(word: int, desk: Desk) -> int | None:
    """How the process ended that was to die there; 0 when it had no such word to say."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["crm_assets_tests.pipeline.killed", "pandas"])
    process = context.Process(target=killed_at, args=(word, desk.url, desk.folder, list(DAYS.days())))
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    return code


def test_a_load_killed_anywhere_is_completed_by_the_next_run(begun: Begun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    for desk in begun.copy():
        take_up(desk, list(DAYS.days()))
        undisturbed = told(desk)
    assert [row[0] for row in undisturbed["history"]] == ["T1", "T2"]
    assert undisturbed["audit"] == [(5, 1, 1, 2, True, 1)]
    word, code, states = 0, None, set[str]()
    while code != 0:
        for desk in begun.copy():
            code = exit_code_when_killed_at(word, desk)
            assert code in (0, -signal.SIGKILL)
            states.add(str(desk.rows("SELECT status, row_count, deleted_at IS NULL FROM download_ledger")))
            take_up(desk, list(DAYS.days()))
            assert told(desk) == undisturbed, f"after a kill before word {word}"
            assert not begun.file.exists()
        word += 1
    assert word > 30
    assert len(states) == 4, "landed; staged; loaded; let go"
