"""The workbook: the page's figures, exact and as numbers."""

import io
from dataclasses import replace

import pytest
from openpyxl import Workbook, load_workbook

from crm_assets.digest.figures import Digest
from crm_assets.digest.reading import digest_of
from crm_assets.digest.sheets import workbook_of
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.digest.business import MADE_AT, NEVER_FETCHED, QUIET, STORES, Business


@pytest.fixture(scope="module")
def book(digest: Digest) -> Workbook:
    return load_workbook(io.BytesIO(workbook_of(digest)))


def rows(book: Workbook, sheet: str) -> list[tuple[object, ...]]:
    return list(book[sheet].iter_rows(min_row=2, values_only=True))


def test_sales_are_exact(book: Workbook, digest: Digest) -> None:
    found = {row[2]: row[3:12] for row in rows(book, "Sales")}
    for name, sums in [*((one.store.name, one.sums) for one in digest.sales), ("All stores", digest.total)]:
        told = [cell for one in sums.of_windows() for cell in (one.count, float(one.amount), one.unfetched)]
        assert list(found[name]) == told


def test_what_was_never_fetched_is_no_number(conn: Connection, business: Business) -> None:
    book = load_workbook(io.BytesIO(workbook_of(digest_of(conn, STORES, NEVER_FETCHED, MADE_AT))))
    assert [row[4] for row in rows(book, "Sales")] == ["never fetched"] * 4
    assert {row[3] for row in rows(book, "Collections")} == {"never fetched"}


def test_a_portals_text_is_no_formula_and_breaks_no_workbook(digest: Digest) -> None:
    one = digest.collections[0]
    named = replace(digest, collections=(replace(one, modes={"=1+1\x0b": one.money}),))
    sheet = load_workbook(io.BytesIO(workbook_of(named)))["Collections"]
    assert [(cell.value, cell.data_type) for cell in sheet["C"]][2] == ("=1+1 ", "s")


def test_every_day_of_the_charts_stands_in_it(book: Workbook, digest: Digest) -> None:
    found = {(row[1], row[2].date()): row[3] for row in rows(book, "Days")}  # type: ignore[union-attr]
    assert len(found) == 30 * len(digest.sales)
    assert (found["a668", QUIET], found["a668", NEVER_FETCHED]) == (0, "never fetched")


def test_every_other_table_has_its_sheet(book: Workbook, digest: Digest) -> None:
    assert book.sheetnames == [
        *("Sales", "Days", "Collections", "Open orders", "Late orders", "Unpaid", "GST", "Freshness", "Reconciliation")
    ]
    assert {row[2]: row[4] for row in rows(book, "Collections") if row[1] == "a668"}["money"] == float(
        digest.collections[0].money.month.amount
    )
    assert [row[2] for row in rows(book, "Late orders")] == [one.late for one in digest.pipelines]
    assert [row[6] for row in rows(book, "GST")] == [float(one.value) for _, one in digest.gst]
    assert [row[4] for row in rows(book, "Freshness")] == [None, "td/a817: expected a refresh"]
    assert f"rows counted: {digest.rows}" in str(rows(book, "Reconciliation")[0][0])
