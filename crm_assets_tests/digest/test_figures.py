"""Every figure of the digest, added up again in plain Python from the rows that were loaded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from crm_assets.digest.figures import AGES_OF_DEBTS, AGES_OF_ORDERS, Digest, Periods, Sums, ThreeSums
from crm_assets.digest.reading import digest_of
from crm_assets.digest.reconciliation import differences, figures_of
from crm_assets.model import Store, Window
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.sales import AS_IT_STANDS, OF_A_WINDOW, in_the_tables
from crm_assets_tests.digest.business import (
    KIRTI,
    MADE_AT,
    NEVER_FETCHED,
    QUIET,
    SECTOR,
    STORES,
    TODAY,
    UTTAM,
    Business,
    Row,
    worth,
)

WINDOWS = Periods.of(TODAY).windows()


def three(rows: list[Row], amount: Callable[[Row], Decimal]) -> tuple[tuple[int, Decimal], ...]:
    """Count and sum of each of the three windows."""
    found = [[row for row in rows if row["business_day"] in window] for window in WINDOWS]
    return tuple((len(each), sum(map(amount, each), Decimal(0))) for each in found)


def told(sums: ThreeSums) -> tuple[tuple[int, Decimal], ...]:
    return tuple((one.count, one.amount) for one in (sums.day, sums.month, sums.last_month))


def amounts(sums: ThreeSums) -> list[Decimal]:
    return [one.amount for one in (sums.day, sums.month, sums.last_month)]


@pytest.mark.parametrize(
    ("day", "last_month"),
    [
        ("2025-11-24", ("2025-10-01", "2025-10-24")),
        ("2026-03-31", ("2026-02-01", "2026-02-28")),
        ("2028-03-30", ("2028-02-01", "2028-02-29")),
        ("2026-01-01", ("2025-12-01", "2025-12-01")),
    ],
)
def test_last_month_ends_at_the_same_day_number_or_at_its_last_day(day: str, last_month: tuple[str, str]) -> None:
    periods = Periods.of(date.fromisoformat(day))
    assert (str(periods.last_month.first), str(periods.last_month.last)) == last_month
    assert str(periods.month) == f"{day[:8]}01 to {day}"


@pytest.mark.parametrize("store", [UTTAM, KIRTI])
def test_sales_are_what_the_orders_were_worth(digest: Digest, business: Business, store: Store) -> None:
    (one,) = [one for one in digest.sales if one.store == store]
    assert told(one.sums) == three(business.orders[store], worth)
    assert one.sums.month.amount > 0


def test_sales_of_invoices_are_their_value_and_the_total_is_all_of_them(digest: Digest, business: Business) -> None:
    (one,) = [one for one in digest.sales if one.store == SECTOR]
    assert told(one.sums) == three(business.invoices, lambda row: row["invoice_value"])
    parts = [told(each.sums) for each in digest.sales]
    assert told(digest.total) == tuple(
        (sum(part[at][0] for part in parts), sum(part[at][1] for part in parts)) for at in range(3)
    )
    month, before = digest.total.month.amount, digest.total.last_month.amount
    assert digest.total.growth == (month - before) / before


@pytest.mark.parametrize("store", [UTTAM, KIRTI])
def test_collections_are_money_with_returns_deducted_and_packages_apart(
    digest: Digest, business: Business, store: Store
) -> None:
    (one,) = [one for one in digest.collections if one.store == store]
    received = business.payments[store]

    def sums(mode: Callable[[Row], bool]) -> list[Decimal]:
        chosen = three([row for row in received if mode(row)], lambda row: row["payment_received"])
        return [amount for _, amount in chosen]

    assert amounts(one.money) == sums(lambda row: row["payment_mode"] != "Package")
    assert amounts(one.packages) == sums(lambda row: row["payment_mode"] == "Package")
    assert amounts(one.returns) == sums(lambda row: row["entry_type"] != "Order")
    assert {name: amounts(mode) for name, mode in one.modes.items()} == {
        name: sums(lambda row, name=name: row["payment_mode"] == name) for name in ("Cash", "Paytm")
    }
    assert any(amounts(one.returns)) and any(amounts(one.packages))


def test_thirty_days_keep_a_day_without_a_sale_and_leave_one_open_that_was_never_fetched(
    digest: Digest, business: Business
) -> None:
    (one,) = [one for one in digest.sales if one.store == UTTAM]
    days = dict(one.days)
    assert list(days) == [TODAY - timedelta(days=ago) for ago in range(29, -1, -1)]
    assert (days[QUIET], days[NEVER_FETCHED]) == (Decimal(0), None)
    for day in days.keys() - {QUIET, NEVER_FETCHED}:
        assert days[day] == sum(worth(row) for row in business.orders[UTTAM] if row["business_day"] == day)


@pytest.mark.parametrize("store", [UTTAM, KIRTI])
def test_orders_that_are_not_delivered_are_counted_by_status_age_and_lateness(
    digest: Digest, business: Business, store: Store
) -> None:
    (one,) = [one for one in digest.pipelines if one.store == store]
    waiting = [row for row in business.orders[store] if row["order_status"] != "Delivered"]
    ages = [0, *(last + 1 for _, last in AGES_OF_ORDERS if last is not None)]
    for status, counts in one.by_status.items():
        found = [(TODAY - row["business_day"]).days for row in waiting if row["order_status"] == status]
        lasts = [*(start - 1 for start in ages[1:]), 10_000]
        assert counts == tuple(
            sum(start <= age <= last for age in found) for start, last in zip(ages, lasts, strict=True)
        )
    late = [row for row in waiting if row["due_on"] < TODAY]
    assert one.late == len(late) > 0
    assert one.latest is not None
    assert one.latest.due_on == min(row["due_on"] for row in late)
    month = [row for row in business.orders[store] if row["business_day"] in WINDOWS[1]]
    assert one.delivered == sum(row["order_status"] == "Delivered" for row in month)


def test_what_is_owed_stands_under_the_age_of_its_order(digest: Digest, business: Business) -> None:
    (one,) = [one for one in digest.owed if one.store == UTTAM]
    starts = [0, *(last + 1 for _, last in AGES_OF_DEBTS if last is not None), 10_000]
    debts = [row for row in business.orders[UTTAM] if row["balance"] > 0]
    for at, sums in enumerate(one.by_age):
        found = [row for row in debts if starts[at] <= (TODAY - row["business_day"]).days < starts[at + 1]]
        assert sums == Sums(count=len(found), amount=sum((row["balance"] for row in found), Decimal(0)))
    assert one.whole.count == len(debts)


def test_gst_is_told_by_month(digest: Digest, business: Business) -> None:
    months = [(store, one) for store, one in digest.gst]
    assert [(store, one.month) for store, one in months] == [(SECTOR, date(2025, month, 1)) for month in (11, 10, 9)]
    for _, one in months:
        rows = [row for row in business.invoices if row["business_day"].month == one.month.month]
        assert (one.invoices, one.taxable, one.cgst, one.value) == (
            len(rows),
            sum(row["taxable_value"] for row in rows),
            sum(row["cgst"] for row in rows),
            sum(row["invoice_value"] for row in rows),
        )


def test_every_sum_is_proven_from_the_tables(digest: Digest, business: Business) -> None:
    rows = [
        *business.invoices,
        *(row for store in (UTTAM, KIRTI) for row in (*business.orders[store], *business.payments[store])),
    ]
    assert digest.mismatches == ()
    _, *months = WINDOWS
    assert digest.rows == sum(row["business_day"] in window for row in rows for window in months), "each row once"


def test_a_view_that_no_longer_says_what_the_tables_hold_is_found_out(conn: Connection, business: Business) -> None:
    """As after a migration gone wrong: the view counts a store's orders with a rupee more."""
    definition = conn.execute("SELECT pg_get_viewdef('v_orders'::regclass)").fetchone()
    assert definition
    net = "NULLIF(fact_td_orders.net_amount, (0)::numeric)"
    assert net in definition[0]
    wrong = definition[0].replace(net, "(fact_td_orders.net_amount + 1)")
    conn.execute(f"CREATE OR REPLACE VIEW v_orders AS {wrong}")  # type: ignore[arg-type]
    try:
        found = digest_of(conn, STORES, TODAY, MADE_AT).mismatches
    finally:
        conn.execute(f"CREATE OR REPLACE VIEW v_orders AS {definition[0]}")  # type: ignore[arg-type]
    assert {one.what for one in found} >= {"td/a668: sales of the month", "td/a817: sales of the last month"}
    assert all("uc/" not in one.what for one in found)


def test_without_the_tables_every_figure_of_the_page_stands_alone(digest: Digest) -> None:
    """No figure of a store escapes the comparison; both sides of each are told."""
    found = {one.what: one for one in differences(digest, {})}
    for kind in ("sales", "collections", "packages"):
        assert {f"{UTTAM}: {kind} of the {window}" for window in ("month", "last month")} <= found.keys()
    assert {f"{UTTAM}: unpaid", f"{UTTAM}: not delivered", f"{SECTOR}: GST"} <= found.keys()
    assert any("returns of the" in what for what in found)
    owed = found[f"{UTTAM}: unpaid"]
    assert (owed.page, owed.tables) == (digest.owed[0].whole, Sums())


def test_what_only_the_tables_hold_is_a_difference_too(conn: Connection, business: Business, digest: Digest) -> None:
    tables = {f"{UTTAM}: unpaid": Sums(count=1, amount=Decimal("0.01"))}
    nothing = replace(digest, sales=(), collections=(), pipelines=(), owed=(), gst=())
    (only,) = differences(nothing, tables)
    assert str(only) == "td/a668: unpaid: the page says 0 and 0, the tables hold 1 and 0.01."


def test_a_figure_that_goes_wrong_after_it_was_read_is_found_out(conn: Connection, digest: Digest) -> None:
    """What is compared is what the page shows, not what it was made of."""
    one = digest.sales[0]
    wrong = replace(one, sums=replace(one.sums, month=one.sums.month + Sums(amount=Decimal("0.01"))))
    tables = figures_of(
        [in_the_tables(conn, OF_A_WINDOW, window) for window in WINDOWS],
        in_the_tables(conn, AS_IT_STANDS, Window(first=date(2025, 6, 1), last=TODAY)),
        STORES,
    )
    assert list(differences(digest, tables)) == []
    found = differences(replace(digest, sales=(wrong, *digest.sales[1:])), tables)
    assert [difference.what for difference in found] == ["td/a668: sales of the month"]


def test_a_day_that_was_not_fetched_is_not_told_as_nothing(conn: Connection, business: Business) -> None:
    digest = digest_of(conn, STORES, NEVER_FETCHED, MADE_AT)
    assert [one.sums.day.is_missing for one in digest.sales] == [True] * 3
    assert digest.total.day.is_missing
    assert [one.money.day.is_missing for one in digest.collections] == [True] * 2
    quiet = digest_of(conn, STORES, QUIET, MADE_AT)
    assert [(one.sums.day.is_missing, one.sums.day.count) for one in quiet.sales][:2] == [(False, 0)] * 2


def test_a_month_says_how_many_of_its_days_were_never_fetched(digest: Digest) -> None:
    sums = digest.sales[0].sums
    assert [(one.fetched, one.unfetched) for one in sums.of_windows()] == [(1, 0), (23, 1), (24, 0)]
    assert (sums.month.is_partial, sums.month.is_missing, sums.last_month.is_partial) == (True, False, False)
    assert digest.total.month.unfetched == 1 + 1 + 2, "the invoices' store was not fetched on the quiet day either"


def test_a_store_without_any_data_stands_there_too(conn: Connection, business: Business) -> None:
    new = Store(crm="td", code="a999", name="New", first_day=TODAY)
    digest = digest_of(conn, (*STORES, new), TODAY, MADE_AT)
    assert digest.sales[-1].store == digest.collections[-1].store == new
    assert (digest.sales[-1].sums.day.is_missing, digest.sales[-1].sums.growth) == (True, None)
    assert digest.collections[-1].money.day.is_missing
    assert digest.total.day.is_partial
    assert digest.mismatches == ()


def test_a_store_that_opens_later_is_left_out_unless_days_of_it_were_loaded(
    conn: Connection, business: Business
) -> None:
    tomorrow = TODAY + timedelta(days=1)
    new = Store(crm="td", code="a999", name="New", first_day=tomorrow)
    early = replace(UTTAM, first_day=tomorrow)
    digest = digest_of(conn, (early, new), TODAY, MADE_AT)
    assert [one.store for one in digest.sales] == [early]
    assert digest.mismatches == ()
