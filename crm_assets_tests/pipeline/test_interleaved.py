"""Loads of one store in any order and at the same time: the facts are those of the newest export of each day, always."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from threading import Barrier
from typing import Any

import dagster as dg
import pytest

from crm_assets.errors import OlderExport
from crm_assets.model import Window
from crm_assets.pipeline import books
from crm_assets.pipeline.examine import typed_export
from crm_assets.pipeline.reload import Loading, rebuild, replay
from crm_assets.warehouse import rejects, staging
from crm_assets.warehouse.landed import LandedFile
from crm_assets_tests.pipeline.desk import ALL, Desk, at, nov, order, statuses, window

pytestmark = pytest.mark.no_cover  # so many turns of the same lines: what counts them would take longer than they do

STATES = ("Unprocessed", "Ready", "Delivered")
WEEK = window(10, 14)
AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One export: when it was asked for, and what it holds."""

    hours: int
    window: Window
    rows: list[dict[str, Any]]

    def of(self, day: date) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["Order Date / Time"].startswith(f"{day:%d}")]


def invented(draw: random.Random) -> list[Asked]:
    """Exports of overlapping windows; now and then one holds what the one before it held."""
    made = list[Asked]()
    for hours in range(9):
        if made and draw.random() < 0.25:
            made.append(Asked(hours=hours, window=made[-1].window, rows=made[-1].rows))
            continue
        first = draw.randint(10, 14)
        days = window(first, draw.randint(first, 14))
        rows = [
            order(
                f"T{day.day}{number}",
                day.day,
                order_status=draw.choice(STATES),
                net_amount="a lot" if draw.random() < 0.05 else 1,
            )
            for day in days.days()
            for number in range(9)
            if draw.random() < 0.3
        ]
        made.append(Asked(hours=hours, window=days, rows=rows))
    return made


def expected(asked: Sequence[Asked]) -> dict[str, Any]:
    """The readable rows of the newest export of each day."""
    found = dict[str, Any]()
    for day in WEEK.days():
        newest = [one for one in asked if day in one.window]
        if newest:
            found |= statuses([row for row in newest[-1].of(day) if row["Net Amount"] == 1])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_however_the_steps_of_several_loads_fall_the_newest_export_of_each_day_wins(desk: Desk, seed: int) -> None:
    """Staging, reading what is staged, loading what was read: steps of two others may fall between any two of them.

    With an odd seed the older ones begin, and are overtaken; with an even one anything comes first.
    """
    draw = random.Random(seed)  # noqa: S311
    asked = invented(draw)
    begun = asked if seed % 2 else draw.sample(asked, len(asked))
    loads = [_steps(desk, desk.landed(one.rows, one.window, at(one.hours))) for one in begun]
    while loads:
        load = draw.choice(loads[:AT_ONCE])
        if next(load, "done") == "done":
            loads.remove(load)
    _as_the_newest_say(desk, asked)


def _steps(desk: Desk, file: LandedFile) -> Iterator[None]:
    """One load, that waits for its turn after each step."""
    with suppress(OlderExport):
        staged = desk.stage(file, guard=ALL)
        yield
        with desk.connected() as conn:
            exports = staging.read_slices(conn, desk.report, "a668", staged.days)
            yield
            for export in exports:
                books.load_export(conn, desk.report, typed_export(desk.report, export), "a run")
                yield


@pytest.mark.parametrize("seed", range(2))
def test_at_the_same_time_the_newest_export_of_each_day_wins_whoever_comes_first(desk: Desk, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311
    asked = invented(draw)
    order_of_landing = draw.sample(asked, len(asked))
    files = [desk.landed(one.rows, one.window, at(one.hours)) for one in order_of_landing]
    together = Barrier(AT_ONCE + 1, timeout=60)

    def load(file: LandedFile) -> None:
        with suppress(OlderExport):
            staged = desk.stage(file, guard=ALL)
            desk.load_staged(staged.days)

    with ThreadPoolExecutor(AT_ONCE + 1) as pool:
        loads = [pool.submit(_after, together, load, files[worker::AT_ONCE]) for worker in range(AT_ONCE)]
        others = pool.submit(_after, together, lambda again: again(desk), [_rebuild, _replay] * 3)
        for done in (*loads, others):
            done.result(timeout=120)
    _as_the_newest_say(desk, asked)
    _rebuild(desk)
    _as_the_newest_say(desk, asked)


def _after[T](together: Barrier, work: Callable[[T], None], each: Sequence[T]) -> None:
    together.wait()
    for one in each:
        work(one)


def _rebuild(desk: Desk) -> None:
    with desk.connected() as conn, dg.DagsterInstance.ephemeral() as instance:
        rebuild(Loading(settings=desk.settings, conn=conn, instance=instance), desk.report, desk.store, WEEK)


def _replay(desk: Desk) -> None:
    with desk.connected() as conn, dg.DagsterInstance.ephemeral() as instance:
        at_hand = Loading(settings=desk.settings, conn=conn, instance=instance)
        replay(at_hand, desk.report, desk.store, rejects.find(conn))


def _as_the_newest_say(desk: Desk, asked: Sequence[Asked]) -> None:
    """But for a rejected row: where an older export held it well, its fact stays as it was."""
    open_keys = {str(row.raw["order_number"]) for row in _open_rejects(desk)}
    facts = {number: status for number, status in desk.facts().items() if number not in open_keys}
    assert facts == expected(asked)
    broken = {
        str(row["Order No."])
        for day in WEEK.days()
        for row in next((one.of(day) for one in reversed(asked) if day in one.window), [])
        if row["Net Amount"] != 1
    }
    assert open_keys == broken
    [(balanced,)] = desk.rows(
        "SELECT bool_and(parsed_rows = inserted_rows + updated_rows + unchanged_rows + rejected_rows) FROM ingest_audit"
    )
    assert balanced
    assert all(nov(10) <= day <= nov(14) for (day,) in desk.rows("SELECT business_day FROM fact_td_orders"))


def _open_rejects(desk: Desk) -> list[rejects.KeptReject]:
    with desk.connected() as conn:
        return rejects.find(conn)
