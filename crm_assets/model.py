"""The nouns of the business: stores, windows, columns, reports and what was exported.

Plain frozen values without behaviour that reaches outside. Reading settings, files, portals or the database does not belong here.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")  # every business date of the stores is a date in Kolkata
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The one place that reads the machine's clock; always an aware time in UTC."""
    return datetime.now(UTC)  # noqa: TID251


def business_day(clock: Clock) -> date:
    """Today's date where the stores are."""
    return clock().astimezone(IST).date()


def end_of_day(day: date) -> datetime:
    """The moment (aware) at which the day is over where the stores are."""
    return datetime.combine(day + timedelta(days=1), time.min, IST)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Window:
    """A closed range of business days; one day when ``first == last``."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"the window ends before it begins: {self.first} to {self.last}")

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def days(self) -> Iterator[date]:
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)

    @staticmethod
    def joining(days: Sequence[date], max_days: int) -> "list[Window]":
        """Contiguous windows that hold exactly these days, oldest first, none longer than ``max_days``."""
        windows: list[Window] = []
        for day in sorted(set(days)):
            last = windows[-1] if windows else None
            if last and day == last.last + timedelta(days=1) and (day - last.first).days < max_days:
                windows[-1] = Window(first=last.first, last=day)
            else:
                windows.append(Window(first=day, last=day))
        return windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One store account of one CRM; ``str(store)`` is its name everywhere: ``td/a668``."""

    crm: str
    code: str
    name: str
    first_day: date
    booking_prefix: str | None = None
    file_prefix: str | None = None
    strategies: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.crm}/{self.code}"

    @property
    def bootstrap_command(self) -> str:
        """What a person runs when this store's account needs one."""
        return f"crm_download bootstrap --crm {self.crm} --store {self.code}"

    @property
    def file_name_part(self) -> str:
        """The store's name as it stands in file names: letters and digits only."""
        return re.sub(r"[^A-Za-z0-9]", "", self.name)


SPREADSHEET_ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA")
FORMULA, MERGED = "#FORMULA!", "#MERGED!"
NOT_PLAIN = frozenset((FORMULA, MERGED, *SPREADSHEET_ERRORS))
"""Texts that stand, in staging too, for a workbook's cell that holds no plain value."""


class Purpose(StrEnum):
    """Why a report is fetched, the most urgent first."""

    REFRESH = "refresh"
    SETTLING = "settling"
    CATCH_UP = "catch_up"
    BACKFILL = "backfill"
    BY_HAND = "by_hand"


class AccountState(StrEnum):
    """Whether a store account works without a person."""

    OK = "ok"
    EXPIRED = "expired"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known of a store account: its state, since when and why, and its last successful login (aware).

    ``error_code`` names the error class that a person must settle; ``profile_digest`` is the saved session's SHA-256 at that
    moment, in hex, so that another one is recognised as brought by a person.
    """

    crm: str
    store: str
    state: AccountState
    since: datetime
    last_login_at: datetime | None = None
    reason: str | None = None
    error_code: str | None = None
    profile_digest: str | None = None


class Kind(StrEnum):
    """What a cell's text means; each kind has one PostgreSQL type and one way to read it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    DAY = "day"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a report: the portal's header, our name, and how to read it.

    ``formats`` are strptime formats tried in order (days and moments only); nothing else is ever guessed.
    ``required`` rejects a row without a readable value. A number that cannot be read rejects its row too: without it the row
    would be a wrong one; a date is then loaded as null with a warning. A text that does not match ``pattern`` (a whole-text
    regular expression, in words ``pattern_says``) rejects its row where it is required, and is loaded with a warning where it
    is not. ``aliases`` are other headers that the portal uses, or used, for the column; ``optional`` says that a file may lack
    it.
    ``in_fact`` is false for what describes the export and not the business, such as a running row number.
    ``made_of`` names the columns whose texts, joined, make this one; the workbook has no such column, and ``header`` only says
    what it is. So a business key of several columns is one text; equal ones in one file are numbered.
    """

    name: str
    header: str
    aliases: tuple[str, ...] = ()
    optional: bool = False
    kind: Kind = Kind.TEXT
    required: bool = False
    formats: tuple[str, ...] = ()
    pattern: str | None = None
    pattern_says: str = ""
    personal: bool = False
    in_fact: bool = True
    made_of: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """A totals row at the end of a sheet: the label in the first column, the count's column, the summed columns."""

    label: str
    count: str
    sums: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report of one CRM: its workbook, its tables and its columns."""

    crm: str
    name: str
    file_prefix: str
    sheet: str
    columns: tuple[Column, ...]
    key: str
    day: str
    staging_table: str
    fact_table: str
    description: str
    footer: Footer | None = None
    store_column: str | None = None

    @property
    def raw_asset(self) -> str:
        return f"{self.crm}_{self.name}_xlsx"

    @property
    def assets(self) -> tuple[str, str, str]:
        """The names of its three assets, in order."""
        return self.raw_asset, self.staging_table, self.fact_table

    @property
    def history_table(self) -> str:
        return f"{self.fact_table}_history"

    @property
    def file_columns(self) -> tuple[Column, ...]:
        """Those that the portal's workbook has."""
        return tuple(column for column in self.columns if not column.made_of)

    @property
    def fact_columns(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.in_fact)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a portal says about an export apart from its rows: a row count and sums by column name, or nothing."""

    rows: int | None = None
    sums: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file a portal handed over, still in the session's scratch folder.

    ``requested_at`` is aware; ``suggested_name`` is the portal's own file name or empty.
    """

    file: Path
    strategy: str
    requested_at: datetime
    suggested_name: str = ""
    claims: Claims = Claims()


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A landed raw file: its canonical place, its size in bytes and its MD5 in hex.

    ``blocked_requests`` counts what the session's browser was kept from asking of other hosts so far.
    """

    store: Store
    window: Window
    file: Path
    bytes: int
    md5: str
    strategy: str
    requested_at: datetime
    suggested_name: str
    claims: Claims
    signed_in_again: bool
    blocked_requests: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that cannot become a fact: the workbook's row number, every cell as text, and each broken rule."""

    day: date | None
    row_number: int
    raw: Mapping[str, str | None]
    problems: tuple["Problem", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A value that breaks a rule of its column."""

    column: str
    rule: str
    value: str | None
