"""TumbleDry's second report: the workbook of payments, read, proven and typed. Its key is made of three columns."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from crm_assets import workbook
from crm_assets.errors import WrongWindow
from crm_assets.model import Claims, Store
from crm_assets.portals.tumbledry.reports import SALES_AND_DELIVERY
from crm_assets.proof import prove, refuse_bad_rows
from crm_assets.rows import TypedRows, read_rows
from crm_assets.sandbox import layouts
from crm_assets.sandbox.workbooks import workbook as written
from crm_assets.workbook import TextTable
from crm_assets_tests.fixtures.sandbox import days
from crm_assets_tests.sheets import SAMPLES

STORE = Store(crm="td", code="a817", name="Kirti Nagar", first_day=date(2025, 11, 1), file_prefix="1247")
SAMPLE = SAMPLES / "td_sales_and_delivery_a817_2025-11-01_to_2025-11-30.xlsx"


@pytest.fixture(scope="module")
def sample() -> TextTable:
    return workbook.read(SAMPLE, SALES_AND_DELIVERY)


@pytest.fixture(scope="module")
def payments(sample: TextTable) -> TypedRows:
    rows = prove(sample, SALES_AND_DELIVERY, STORE, days("2025-11-01", "2025-11-30"), Claims())
    typed = read_rows(rows, SALES_AND_DELIVERY)
    refuse_bad_rows(typed, SALES_AND_DELIVERY, str(STORE), limit=0)
    return typed


def test_the_portals_own_workbook_is_read_to_the_last_payment(sample: TextTable, payments: TypedRows) -> None:
    assert (len(payments.rows), payments.rejects) == (310, ())
    assert sample.claims.sums == {"payment_received": Decimal(377203), "adjustments": Decimal(0)}
    assert sum(payments.rows["payment_received"]) == Decimal(377203)


def test_a_return_is_paid_back(payments: TypedRows) -> None:
    returns = payments.rows[payments.rows["entry_type"] == "SRN-Garment Return"]
    assert len(returns) == 8
    assert all(amount < 0 for amount in returns["payment_received"])
    assert all(number.startswith("SRN") for number in returns["order_number"])


def test_an_order_that_is_paid_in_two_goes_has_two_payments(payments: TypedRows) -> None:
    keys = set(payments.rows[payments.rows["order_number"] == "T990"]["payment_key"])
    assert keys == {"T990 | 01 Nov 2025 01:30:20 PM | Cash", "T990 | 01 Nov 2025 09:06:33 AM | Paytm"}


def test_the_day_is_that_of_the_payment_not_of_the_order(payments: TypedRows) -> None:
    october = payments.rows[[day < date(2025, 11, 1) for day in payments.rows["ordered_on"]]]
    assert len(october) > 0
    assert min(payments.rows["business_day"]) == date(2025, 11, 1)


def test_payments_of_another_month_are_refused(sample: TextTable) -> None:
    with pytest.raises(WrongWindow, match="found rows of 2025-11-01 to 2025-11-27"):
        prove(sample, SALES_AND_DELIVERY, STORE, days("2025-11-28", "2025-11-30"), Claims())


def test_two_payments_that_nothing_tells_apart_are_numbered(tmp_path: Path) -> None:
    row = dict.fromkeys(layouts.SALES_AND_DELIVERY.headers) | {
        "Order Number": "T1",
        "Payment Date": "01 Nov 2025 01:30:20 PM",
        "Payment Received": 50,
        "Adjustments": 0,
    }
    file = tmp_path / "twins.xlsx"
    file.write_bytes(written(layouts.SALES_AND_DELIVERY, [row, row, row | {"Payment Mode": "Cash"}]))
    table: pd.DataFrame = workbook.read(file, SALES_AND_DELIVERY).rows
    assert list(table["payment_key"]) == [
        "T1 | 01 Nov 2025 01:30:20 PM | ",
        "T1 | 01 Nov 2025 01:30:20 PM |  (2)",
        "T1 | 01 Nov 2025 01:30:20 PM | Cash",
    ]
