"""The books as of a moment: nothing from the future, nothing renumbered, the same everywhere."""

import hashlib
import subprocess
import sys
from datetime import date, datetime, timedelta

from crm_assets.model import IST, Window
from crm_assets.sandbox import SandboxClock
from crm_assets.sandbox.books import Books
from crm_assets.sandbox.layouts import Row

QUARTER = Window(first=date(2025, 11, 1), last=date(2026, 1, 29))
TODAY = Window(first=date(2026, 2, 14), last=date(2026, 2, 14))

DIGEST = """
import hashlib
from datetime import date, datetime
from crm_assets.model import IST, Window
from crm_assets.sandbox.books import Books
books = Books("demo", lambda: datetime(2026, 2, 14, 12, 30, tzinfo=IST), lambda store, day: False)
window = Window(first=date(2025, 11, 1), last=date(2026, 1, 29))
rows = [books.td_orders("a668", window), books.td_payments("a668", window), books.uc_invoices("sector56", window)]
print(hashlib.sha256(repr(rows).encode()).hexdigest())
"""


def books_at(moment: datetime, seed: str = "demo") -> Books:
    return Books(seed, lambda: moment, lambda _store, _day: False)


def order_time(row: Row) -> datetime:
    return datetime.strptime(str(row["Order Date / Time"]), "%d %b %Y %I:%M:%S %p").replace(tzinfo=IST)


def test_another_process_draws_the_same_books() -> None:
    books = books_at(datetime(2026, 2, 14, 12, 30, tzinfo=IST))
    ours = [
        books.td_orders("a668", QUARTER),
        books.td_payments("a668", QUARTER),
        books.uc_invoices("sector56", QUARTER),
    ]
    other = subprocess.run(
        [sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert other.stdout.strip() == hashlib.sha256(repr(ours).encode()).hexdigest()


def test_another_seed_or_store_has_other_books() -> None:
    moment = datetime(2026, 2, 14, 12, 30, tzinfo=IST)
    ours = books_at(moment).td_orders("a668", QUARTER)
    assert ours != books_at(moment, "other").td_orders("a668", QUARTER)
    assert ours != books_at(moment).td_orders("a817", QUARTER)


def test_an_intra_day_refresh_sees_more_of_today_and_nothing_renumbered(clock: SandboxClock) -> None:
    books = Books("demo", clock, lambda _store, _day: False)
    clock.set(datetime(2026, 2, 14, 8, 0))  # noqa: DTZ001
    assert books.td_orders("a668", TODAY) == []
    seen: list[object] = []
    growth = set()
    for _hour in range(14):
        clock.advance(timedelta(hours=1))
        numbers = [row["Order No."] for row in books.td_orders("a668", TODAY)]
        assert numbers[: len(seen)] == seen
        growth.add(len(numbers))
        seen = numbers
    assert len(growth) > 3


def test_nothing_is_sold_in_the_future() -> None:
    moment = datetime(2026, 2, 14, 15, 0, tzinfo=IST)
    books = books_at(moment)
    month = Window(first=date(2026, 2, 1), last=date(2026, 2, 28))
    orders, invoices = books.td_orders("a668", month), books.invoices("sector56", month)
    assert orders and max(map(order_time, orders)) <= moment
    assert invoices and max(invoice.at for invoice in invoices) <= moment


def test_an_earlier_moment_can_be_asked_for() -> None:
    now, before = datetime(2026, 2, 14, 20, 0, tzinfo=IST), datetime(2026, 2, 14, 11, 0, tzinfo=IST)
    as_of = books_at(now).td_orders("a668", TODAY, as_of=before)
    assert as_of == books_at(before).td_orders("a668", TODAY)
    assert as_of != books_at(now).td_orders("a668", TODAY)


def test_volumes_are_those_of_the_stores() -> None:
    books = books_at(datetime(2026, 2, 14, 12, 30, tzinfo=IST))
    for store in ("a668", "a817"):
        assert 450 <= len(books.td_orders(store, QUARTER)) <= 780
    for store in ("sector56", "sushantlok1"):
        assert 190 <= len(books.uc_invoices(store, QUARTER)) <= 390


def test_a_quiet_day_is_empty_and_leaves_its_numbers_unused() -> None:
    def quiet(_store: object, day: date) -> bool:
        return day == date(2025, 11, 5)

    moment = datetime(2026, 2, 14, 12, 30, tzinfo=IST)
    usual = books_at(moment).td_orders("a668", QUARTER)
    with_gap = Books("demo", lambda: moment, quiet).td_orders("a668", QUARTER)
    assert with_gap == [row for row in usual if order_time(row).date() != date(2025, 11, 5)] != usual
