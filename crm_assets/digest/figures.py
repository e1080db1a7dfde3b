"""What the digest says of a day, as values. Money is rupees (Decimal); a day is Kolkata's.

FTD is the day, MTD the first of its month up to it, LMTD the first of the month before up to the same day number, or that month's
last. What is open, owed or late is as of now: the portals tell no past state. How it looks is ``page.py``'s.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from crm_assets.model import Store, Window
from crm_assets.warehouse import sales
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.sales import DayCollections, DaySales, LateOrder, MonthGst, OpenOrders, TableSums, Unpaid

CHART_DAYS = 30
GST_MONTHS = 6
STATUSES = ("Unprocessed", "Inprocessing", "Ready")
AGES_OF_ORDERS = (("up to 3 days", 3), ("4 to 7", 7), ("8 to 14", 14), ("over 14", None))
AGES_OF_DEBTS = (("up to 7 days", 7), ("8 to 30", 30), ("31 to 90", 90), ("over 90", None))
TOLERANCE = Decimal("0.005")
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The three windows that a day is told by."""

    day: Window
    month: Window
    last_month: Window

    @classmethod
    def of(cls, day: date) -> "Periods":
        first = day.replace(day=1)
        last_of_before = first - timedelta(days=1)
        return cls(
            day=Window(first=day, last=day),
            month=Window(first=first, last=day),
            last_month=Window(
                first=last_of_before.replace(day=1), last=last_of_before.replace(day=min(day.day, last_of_before.day))
            ),
        )

    def windows(self) -> tuple[Window, Window, Window]:
        return self.day, self.month, self.last_month


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """How many and how much."""

    count: int = 0
    amount: Decimal = NOTHING

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(count=self.count + other.count, amount=self.amount + other.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeSums:
    """A figure for the day, the month to it, and the month before to the same day number. ``known``: was the day fetched?"""

    day: Sums = Sums()
    month: Sums = Sums()
    last_month: Sums = Sums()
    known: bool = True

    def __add__(self, other: "ThreeSums") -> "ThreeSums":
        return ThreeSums(
            day=self.day + other.day,
            month=self.month + other.month,
            last_month=self.last_month + other.last_month,
            known=self.known and other.known,
        )

    @property
    def growth(self) -> Decimal | None:
        """The month against the month before, as a share; None where that was nothing."""
        before = self.last_month.amount
        return (self.month.amount - before) / before if before > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSales:
    """A store's sales; ``days`` are the last thirty, None where a day was never fetched."""

    store: Store
    sums: ThreeSums
    days: tuple[tuple[date, Decimal | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collections:
    """A store's collections: money without packages and with returns deducted, by mode; packages used up and returns apart."""

    store: Store
    money: ThreeSums
    packages: ThreeSums
    returns: ThreeSums
    modes: Mapping[str, ThreeSums]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A store's orders by status: how many of each age in days; how many of the month are delivered; and which are late."""

    store: Store
    by_status: Mapping[str, tuple[int, ...]]
    delivered: int
    late: int
    latest: LateOrder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What is owed to a store, by the age of the order."""

    store: Store
    by_age: tuple[Sums, ...]

    @property
    def whole(self) -> Sums:
        return sum(self.by_age, Sums())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """When a store's report was last refreshed with success (aware), and what is wrong where it is late."""

    store: Store
    report: str
    at: datetime | None
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A figure of the page that the tables do not bear out."""

    what: str
    page: Sums
    tables: Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """All of it. ``rows`` of the fact tables were counted to prove it; it is proven when ``mismatches`` is empty."""

    day: date
    made_at: datetime
    periods: Periods
    sales: tuple[StoreSales, ...]
    collections: tuple[Collections, ...]
    pipelines: tuple[Pipeline, ...]
    owed: tuple[Owed, ...]
    gst: tuple[tuple[Store, MonthGst], ...]
    refreshed: tuple[Refreshed, ...]
    rows: int
    mismatches: tuple[Mismatch, ...]

    @property
    def total(self) -> ThreeSums:
        return sum((one.sums for one in self.sales), ThreeSums())

    @property
    def money(self) -> ThreeSums:
        return sum((one.money for one in self.collections), ThreeSums())

    @property
    def stale(self) -> tuple[Refreshed, ...]:
        return tuple(one for one in self.refreshed if one.warning)


def digest_of(
    conn: Connection, stores: Sequence[Store], day: date, made_at: datetime, refreshed: Sequence[Refreshed] = ()
) -> Digest:
    """The digest of a day for these stores, read at one moment; the connection must not be in a transaction."""
    periods = Periods.of(day)
    known = {(store.crm, store.code): store for store in stores}
    span = Window(first=min(periods.last_month.first, day - timedelta(days=CHART_DAYS - 1)), last=day)
    with sales.one_moment(conn):
        days = sales.daily_sales(conn, span)
        received = sales.daily_collections(conn, span)
        rows, mismatches = _proven(conn, known, periods, days, received)
        delivered = sales.delivered(conn, periods.month)
        waiting, latest = sales.open_orders(conn, day), sales.latest_of_all(conn, day)
        debts = sales.unpaid(conn, day)
        gst = sales.monthly_gst(conn, Window(first=_months_back(day, GST_MONTHS - 1), last=day))
    collecting = {(one.crm, one.store) for one in received} & known.keys()
    ordering = {(one.crm, one.store) for one in waiting} | delivered.keys()
    return Digest(
        day=day,
        made_at=made_at,
        periods=periods,
        sales=tuple(_sales(store, periods, _of(days, store)) for store in stores),
        collections=tuple(_collections(known[key], periods, _of(received, known[key])) for key in sorted(collecting)),
        pipelines=tuple(
            _pipeline(known[key], day, _of(waiting, known[key]), delivered.get(key, 0), latest)
            for key in sorted(ordering & known.keys())
        ),
        owed=tuple(_owed(store, day, found) for store in stores if (found := _of(debts, store))),
        gst=tuple((known["uc", one.store], one) for one in gst if ("uc", one.store) in known),
        refreshed=tuple(refreshed),
        rows=rows,
        mismatches=mismatches,
    )


def _of[T: (DaySales, DayCollections, OpenOrders, Unpaid)](found: Iterable[T], store: Store) -> list[T]:
    return [one for one in found if (one.crm, one.store) == (store.crm, store.code)]


def _sales(store: Store, periods: Periods, days: Sequence[DaySales]) -> StoreSales:
    amounts = {one.day: one.amount for one in days}
    last = [periods.day.last - timedelta(days=ago) for ago in reversed(range(CHART_DAYS))]
    return StoreSales(
        store=store,
        sums=_three(periods, [(one.day, Sums(count=one.orders, amount=one.amount)) for one in days], amounts.keys()),
        days=tuple((day, amounts.get(day)) for day in last),
    )


def _three(periods: Periods, found: Iterable[tuple[date, Sums]], known: Iterable[date] | None = None) -> ThreeSums:
    sums = list(found)

    def within(window: Window) -> Sums:
        return sum((one for day, one in sums if day in window), Sums())

    return ThreeSums(
        day=within(periods.day),
        month=within(periods.month),
        last_month=within(periods.last_month),
        known=known is None or periods.day.last in known,
    )


def _collections(store: Store, periods: Periods, found: Sequence[DayCollections]) -> Collections:
    def told(which: Callable[[DayCollections], Decimal], rows: Iterable[DayCollections]) -> ThreeSums:
        return _three(periods, [(one.day, Sums(count=1, amount=which(one))) for one in rows])

    money = [one for one in found if one.is_money]
    return Collections(
        store=store,
        money=told(lambda one: one.received + one.returned, money),
        packages=told(lambda one: one.received + one.returned, [one for one in found if not one.is_money]),
        returns=told(lambda one: one.returned, money),
        modes={
            mode: told(lambda one: one.received + one.returned, [one for one in money if one.mode == mode])
            for mode in sorted({one.mode for one in money})
        },
    )


def _pipeline(
    store: Store, day: date, waiting: Sequence[OpenOrders], delivered: int, latest: Sequence[LateOrder]
) -> Pipeline:
    by_status = {status: [0] * len(AGES_OF_ORDERS) for status in (*STATUSES, *{one.status for one in waiting})}
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


def _months_back(day: date, months: int) -> date:
    """The first of the month so many months before the day's."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(years, month + 1, 1)


def _proven(
    conn: Connection,
    known: Mapping[tuple[str, str], Store],
    periods: Periods,
    days: Sequence[DaySales],
    received: Sequence[DayCollections],
) -> tuple[int, tuple[Mismatch, ...]]:
    """Every store's sums of each window, against the fact tables themselves; and how many of their rows were counted."""
    rows, mismatches = 0, list[Mismatch]()
    for name, window in zip(("day", "month", "last month"), periods.windows(), strict=True):
        sold, paid = sales.sold_by_the_tables(conn, window), sales.received_by_the_tables(conn, window)
        on_page = {
            key: sum(
                (Sums(count=one.orders, amount=one.amount) for one in _of(days, store) if one.day in window), Sums()
            )
            for key, store in known.items()
        }
        collected = {
            key: sum((one.received + one.returned for one in _of(received, store) if one.day in window), NOTHING)
            for key, store in known.items()
        }
        rows += sum(one.rows for one in (*sold, *paid) if (one.crm, one.store) in known)
        mismatches += _differences(f"sales of the {name}", on_page, sold)
        # Entries of nothing received are counted by the table and have no place on the page: amounts alone are compared.
        page = {key: Sums(amount=amount) for key, amount in collected.items()}
        tables = [TableSums(crm=one.crm, store=one.store, rows=0, amount=one.amount) for one in paid]
        mismatches += _differences(f"collections of the {name}", page, tables)
    return rows, tuple(mismatches)


def _differences(what: str, page: Mapping[tuple[str, str], Sums], found: Sequence[TableSums]) -> Iterable[Mismatch]:
    tables = {(one.crm, one.store): Sums(count=one.rows, amount=one.amount) for one in found}
    for key, told in page.items():
        held = tables.get(key, Sums())
        if told.count != held.count or abs(told.amount - held.amount) > TOLERANCE:
            yield Mismatch(what=f"{'/'.join(key)}: {what}", page=told, tables=held)
