"""What the digest says of a day, as values. Money is rupees (Decimal); a day is Kolkata's.

FTD is the day, MTD the first of its month up to it, LMTD the first of the month before up to the same day number, or that month's
last. How the values are read belongs to ``reading.py``, whether the tables bear them out to ``reconciliation.py``, how they look
to ``page.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from crm_assets.model import Store, Window
from crm_assets.warehouse.sales import LateOrder, MonthGst

STATUSES = ("Unprocessed", "Inprocessing", "Ready")
AGES_OF_ORDERS = (("up to 3 days", 3), ("4 to 7", 7), ("8 to 14", 14), ("over 14", None))
AGES_OF_DEBTS = (("up to 7 days", 7), ("8 to 30", 30), ("31 to 90", 90), ("over 90", None))
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
    """How many and how much; and, of a window, how many of its days were ``fetched`` and how many never were."""

    count: int = 0
    amount: Decimal = NOTHING
    fetched: int = 0
    unfetched: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            count=self.count + other.count,
            amount=self.amount + other.amount,
            fetched=self.fetched + other.fetched,
            unfetched=self.unfetched + other.unfetched,
        )

    @property
    def is_missing(self) -> bool:
        """Nothing of it was ever fetched: 0 would be a lie."""
        return self.unfetched > 0 and not self.fetched

    @property
    def is_partial(self) -> bool:
        """Some of its days were never fetched."""
        return self.unfetched > 0 and self.fetched > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeSums:
    """A figure for the day, the month to it, and the month before to the same day number."""

    day: Sums = Sums()
    month: Sums = Sums()
    last_month: Sums = Sums()

    def __add__(self, other: "ThreeSums") -> "ThreeSums":
        return ThreeSums(
            day=self.day + other.day, month=self.month + other.month, last_month=self.last_month + other.last_month
        )

    def of_windows(self) -> tuple[Sums, Sums, Sums]:
        return self.day, self.month, self.last_month

    @property
    def growth(self) -> Decimal | None:
        """The month against the month before, as a share; None where that was nothing."""
        before = self.last_month.amount
        return (self.month.amount - before) / before if before > 0 else None

    @property
    def is_partial(self) -> bool:
        """A day of it is missing: what it is compared with may be more, or less, than it seems."""
        return any(one.unfetched for one in self.of_windows())


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
    """A figure of the page that the tables do not bear out; its text has both."""

    what: str
    page: Sums
    tables: Sums

    def __str__(self) -> str:
        return (
            f"{self.what}: the page says {self.page.count} and {self.page.amount}, "
            f"the tables hold {self.tables.count} and {self.tables.amount}."
        )


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
    rows: int = 0
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def total(self) -> ThreeSums:
        return sum((one.sums for one in self.sales), ThreeSums())

    @property
    def money(self) -> ThreeSums:
        return sum((one.money for one in self.collections), ThreeSums())

    @property
    def unpaid(self) -> Sums:
        return sum((one.whole for one in self.owed), Sums())

    @property
    def stale(self) -> tuple[Refreshed, ...]:
        return tuple(one for one in self.refreshed if one.warning)
