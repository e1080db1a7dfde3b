"""The writer against the portals' own files."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from crm_assets.sandbox.layouts import GST_REPORT, ORDER_REPORT, SALES_AND_DELIVERY, Layout, Row
from crm_assets.sandbox.workbooks import column_name, footer, workbook

SAMPLES = Path(__file__).parent.parent / "fixtures" / "workbooks"


def rows_of(file: Path, layout: Layout) -> list[Row]:
    headers, *rows = openpyxl.load_workbook(file).worksheets[0].iter_rows(values_only=True)
    assert headers == layout.headers
    without_footer = rows[:-1] if layout.footer_label else rows
    return [dict(zip(layout.headers, row, strict=True)) for row in without_footer]  # type: ignore[arg-type]


def parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("td_order_report_a668_2025-11-12_to_2025-11-12.xlsx", ORDER_REPORT),
        ("td_order_report_empty.xlsx", ORDER_REPORT),
        ("td_sales_and_delivery_a817_2025-11-01_to_2025-11-30.xlsx", SALES_AND_DELIVERY),
        ("uc_gst_report_uc610_2025-11-12_to_2025-11-12.xlsx", GST_REPORT),
        ("uc_gst_report_empty.xlsx", GST_REPORT),
    ],
)
def test_the_rows_of_a_sample_give_the_bytes_of_the_sample(name: str, layout: Layout) -> None:
    sample = (SAMPLES / name).read_bytes()
    written = workbook(layout, rows_of(SAMPLES / name, layout))
    assert parts(written) == parts(sample)
    assert written == sample


def test_the_footer_counts_the_orders_and_sums_the_amounts() -> None:
    blank: Row = dict.fromkeys(ORDER_REPORT.headers)
    closing = footer(ORDER_REPORT, [{**blank, "Weight": 0.1, "Paid": 100}, {**blank, "Weight": 0.2, "Paid": 20.5}])
    assert closing["Order Date / Time"] == "Total order"
    assert closing["Order No."] == 2
    assert (closing["Weight"], closing["Paid"], closing["Tax"]) == (0.3, 120.5, 0)
    assert closing["Name"] is None


def test_text_comes_back_as_it_was_given() -> None:
    texts = {"Customer Name": "Rohan Demo ", "Place of Supply": "<a & 'b' \"c\">", "Booking ID": "two\nlines"}
    content = workbook(GST_REPORT, [{**dict.fromkeys(GST_REPORT.headers), **texts}])
    headers, row = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True)
    assert {header: value for header, value in zip(headers, row, strict=True) if value is not None} == texts


@pytest.mark.parametrize(("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (41, "AP"), (52, "BA")])
def test_columns_are_named_as_in_a_spreadsheet(index: int, name: str) -> None:
    assert column_name(index) == name
