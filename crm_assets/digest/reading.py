"""The digest of a day as the warehouse has it: what the views say, put under stores, windows and ages, at one moment.

What is open, owed or late is as of now: the portals tell no past state. The SQL belongs to ``warehouse/sales.py``.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace
from datetime import date, datetime, timedelta

from crm_assets.digest.figures import (
    AGES_OF_DEBTS,
    AGES_OF_ORDERS,
    STATUSES,
    Collections,
    Digest,
    Owed,
    Periods,
    Pipeline,
    Refreshed,
    StoreSales,
    Sums,
    ThreeSums,
)
from crm_assets.digest.reconciliation import differences, figures_of, rows_of
from crm_assets.model import Store, Window
from crm_assets.warehouse import sales
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.sales import DayCollections, DaySales, LateOrder, MonthGst, OpenOrders, Unpaid

CHART_DAYS = 30
GST_MONTHS = 6


def digest_of(
    conn: Connection, stores: Sequence[Store], day: date, made_at: datetime, refreshed: Sequence[Refreshed] = ()
) -> Digest:
    """The digest of a day for these stores, proven; the connection must not be in a transaction.

    A store that opens later is left out, unless somebody loaded earlier days of it by hand.
    """
    with sales.one_moment(conn):
        digest = _read(conn, stores, day, made_at, refreshed)
        of_windows = [sales.in_the_tables(conn, sales.OF_A_WINDOW, window) for window in digest.periods.windows()]
        standing = sales.in_the_tables(conn, sales.AS_IT_STANDS, _gst_months(day))
    shown = [one.store for one in digest.sales]
    tables = figures_of(of_windows, standing, shown)
    return replace(digest, rows=rows_of(of_windows, shown), mismatches=tuple(differences(digest, tables)))


def _read(
    conn: Connection, stores: Sequence[Store], day: date, made_at: datetime, refreshed: Sequence[Refreshed]
) -> Digest:
    periods = Periods.of(day)
    span = Window(first=min(periods.last_month.first, day - timedelta(days=CHART_DAYS - 1)), last=day)
    days, received = sales.daily_sales(conn, span), sales.daily_collections(conn, span)
    stores = [
        store for store in stores if store.first_day <= day or bool(_of(days, store)) or bool(_of(received, store))
    ]
    waiting, latest = sales.open_orders(conn, day), sales.latest_of_all(conn, day)
    delivered, debts = sales.delivered(conn, periods.month), sales.unpaid(conn, day)
    gst = sales.monthly_gst(conn, _gst_months(day))
    collecting, owing = {one.crm for one in received}, {one.crm for one in debts}
    ordering = {one.crm for one in waiting} | {crm for crm, _ in delivered}
    return Digest(
        day=day,
        made_at=made_at,
        periods=periods,
        sales=tuple(_sales(store, periods, _of(days, store)) for store in stores),
        # A sister of a store that exports something is listed with it, though it has nothing, or was not fetched.
        collections=tuple(
            _collections(store, periods, _of(received, store)) for store in stores if store.crm in collecting
        ),
        pipelines=tuple(
            _pipeline(store, day, _of(waiting, store), delivered.get((store.crm, store.code), 0), latest)
            for store in stores
            if store.crm in ordering
        ),
        owed=tuple(_owed(store, day, _of(debts, store)) for store in stores if store.crm in owing),
        gst=tuple(_named(gst, stores)),
        refreshed=tuple(refreshed),
    )


def _of[T: (DaySales, DayCollections, OpenOrders, Unpaid)](found: Iterable[T], store: Store) -> list[T]:
    return [one for one in found if (one.crm, one.store) == (store.crm, store.code)]


def _named(gst: Iterable[MonthGst], stores: Sequence[Store]) -> Iterable[tuple[Store, MonthGst]]:
    known = {store.code: store for store in stores if store.crm == "uc"}
    return ((known[one.store], one) for one in gst if one.store in known)


def _sales(store: Store, periods: Periods, days: Sequence[DaySales]) -> StoreSales:
    amounts = {one.day: one.amount for one in days}
    last = [periods.day.last - timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    return StoreSales(
        store=store,
        sums=_three(periods, [(one.day, Sums(count=one.orders, amount=one.amount)) for one in days], amounts.keys()),
        days=tuple((day, amounts.get(day)) for day in last),
    )


def _three(periods: Periods, found: Sequence[tuple[date, Sums]], fetched: Set[date]) -> ThreeSums:
    """The sums of each window; ``fetched`` are the days that are known, whether anything happened or not."""

    def within(window: Window) -> Sums:
        days = sum(day in fetched for day in window.days())
        all_days = (window.last - window.first).days + 1
        return sum((one for day, one in found if day in window), Sums(fetched=days, unfetched=all_days - days))

    return ThreeSums(day=within(periods.day), month=within(periods.month), last_month=within(periods.last_month))


def _collections(store: Store, periods: Periods, found: Sequence[DayCollections]) -> Collections:
    fetched = {one.day for one in found}

    def told(rows: Iterable[DayCollections], of: Callable[[DayCollections], Sums] = _received) -> ThreeSums:
        return _three(periods, [(one.day, of(one)) for one in rows], fetched)

    money = [one for one in found if one.is_money]
    modes = sorted({one.mode for one in money if one.mode and (one.amount or one.returned)})
    return Collections(
        store=store,
        money=told(money),
        packages=told(one for one in found if not one.is_money),
        returns=told(money, _returned),
        modes={mode: told(one for one in money if one.mode == mode) for mode in modes},
    )


def _received(one: DayCollections) -> Sums:
    return Sums(count=one.payments, amount=one.amount)


def _returned(one: DayCollections) -> Sums:
    return Sums(count=one.returns, amount=one.returned)


def _pipeline(
    store: Store, day: date, waiting: Sequence[OpenOrders], delivered: int, latest: Sequence[LateOrder]
) -> Pipeline:
    others = sorted({one.status for one in waiting} - set(STATUSES))
    by_status = {status: [0] * len(AGES_OF_ORDERS) for status in (*STATUSES, *others)}
    for one in waiting:
        by_status[one.status][_place((day - one.day).days, AGES_OF_ORDERS)] += one.orders
    return Pipeline(
        store=store,
        by_status={status: tuple(counts) for status, counts in by_status.items()},
        delivered=delivered,
        late=sum(one.late for one in waiting),
        latest=next((one for one in latest if (one.crm, one.store) == (store.crm, store.code)), None),
    )


def _owed(store: Store, day: date, debts: Sequence[Unpaid]) -> Owed:
    by_age = [Sums()] * len(AGES_OF_DEBTS)
    for one in debts:
        by_age[_place((day - one.day).days, AGES_OF_DEBTS)] += Sums(count=one.orders, amount=one.balance)
    return Owed(store=store, by_age=tuple(by_age))


def _place(age: int, ages: Sequence[tuple[str, int | None]]) -> int:
    return next(place for place, (_, last) in enumerate(ages) if last is None or age <= last)


def _gst_months(day: date) -> Window:
    """From the first of the month five months before the day's, up to the day."""
    years, month = divmod(day.year * 12 + day.month - GST_MONTHS, 12)
    return Window(first=date(years, month + 1, 1), last=day)
