"""Whatever orders there are: written as the portal writes them, proven, staged and loaded, they read back as they were."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_assets.model import IST, Kind
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets_tests.pipeline.desk import Desk, nov, order, window

pytestmark = pytest.mark.no_cover  # so many turns of the same lines: what counts them would take longer than they do

DAYS = window(10, 14)
# Letters of every script, spaces, quotes, angle brackets and emoji; no control characters: XML has no place for them.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=12)
MONEY = st.decimals(min_value=-99_999, max_value=999_999, places=2)
WHOLE_SECONDS = st.integers(0, 86_399)


@dataclass(frozen=True)
class Invented:
    """An order as it is meant."""

    day: int
    second: int
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def ordered_at(self) -> datetime:
        return datetime(2025, 11, self.day, tzinfo=IST) + timedelta(seconds=self.second)


def of_kind(kind: Kind) -> st.SearchStrategy[Any]:
    return {
        Kind.TEXT: TEXTS,
        Kind.INTEGER: st.integers(0, 500),
        Kind.NUMBER: st.decimals(min_value=0, max_value=99, places=2),
        Kind.MONEY: MONEY,
        Kind.DAY: st.dates(date(2020, 1, 1), date(2030, 12, 31)),
        Kind.MOMENT: st.integers(0, 10**8).map(
            lambda second: datetime(2023, 1, 1, tzinfo=IST) + timedelta(seconds=second)
        ),
    }[kind]


VALUES = st.fixed_dictionaries(
    {},
    optional={
        column.name: of_kind(column.kind)
        for column in ORDER_REPORT.columns
        if column.name not in ("ordered_at", "order_number")
    },
)
ORDERS = st.lists(st.builds(Invented, day=st.integers(10, 14), second=WHOLE_SECONDS, values=VALUES), max_size=6)


def as_the_portal_writes(value: Any) -> Any:
    match value:
        case datetime():
            return value.strftime("%d %b %Y %I:%M:%S %p")
        case date():
            return value.strftime("%d %b %Y")
        case Decimal():
            return float(value)
    return value


def as_read_back(value: Any) -> Any:
    """Texts lose the spaces around them; an empty one is nothing."""
    return value.strip() or None if isinstance(value, str) else value


@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # a busy machine is no defect
)
@given(orders=ORDERS)
def test_what_was_written_is_read_back(desk: Desk, orders: list[Invented]) -> None:
    batch = next(desk.numbers)
    written, meant = list[dict[str, Any]](), dict[str, dict[str, Any]]()
    for number, one in zip(count(), orders):
        key = f"T{batch}-{number}"
        cells = {name: as_the_portal_writes(value) for name, value in one.values.items()}
        written.append(order(key, one.day, **cells) | {"Order Date / Time": as_the_portal_writes(one.ordered_at)})
        meant[key] = one.values | {"ordered_at": one.ordered_at, "business_day": nov(one.day)}
    desk.take(written, DAYS, batch)
    names = ["order_number", "business_day", *(column.name for column in ORDER_REPORT.fact_columns)]
    found = {
        row[0]: dict(zip(names, row, strict=True))
        for row in desk.rows(f"SELECT {', '.join(names)} FROM fact_td_orders WHERE missing_since IS NULL")  # noqa: S608
    }
    assert found.keys() == meant.keys()
    for key, values in meant.items():
        assert {name: found[key][name] for name in values} == {
            name: as_read_back(value) for name, value in values.items()
        }
