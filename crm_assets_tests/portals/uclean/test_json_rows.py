"""JSON rows as a workbook: the same invoices read the same, whatever a customer's name begins with."""

from pathlib import Path
from typing import Any

import pytest

from crm_assets import workbook
from crm_assets.errors import PortalChanged
from crm_assets.portals.uclean.json_rows import FIELDS, write_workbook
from crm_assets.portals.uclean.reports import GST_REPORT

ROW: dict[str, Any] = {
    "order_number": "UC567-1332",
    "invoice_number": "UC567-2025-26-1067",
    "invoice_date": "2026-02-01 18:36:46",
    "name": "Rohan Demo ",
    "customer_phone": "9000000000",
    "customer_gst": None,
    "city_name": "Gurugram",
    "taxable_value": 100.0,
    "cgst": 9,
    "sgst": "9.00",
    "final_amount": 118.05,
    "payment_status": "Cash",
}


def read_back(folder: Path, *rows: dict[str, Any]) -> list[dict[Any, Any]]:
    file = folder / "rows.xlsx"
    write_workbook(rows, GST_REPORT, file)
    table = workbook.read(file, GST_REPORT).rows
    return table[[column.name for column in GST_REPORT.columns]].to_dict("records")


def test_a_row_reads_as_the_portals_own_workbook_would(tmp_path: Path) -> None:
    (row,) = read_back(tmp_path, ROW)
    assert list(row.values()) == [
        "1",
        "UC567-1332",
        "UC567-2025-26-1067",
        "01/02/2026",
        "Rohan Demo ",
        "9000000000",
        "Cash",
        None,
        "Gurugram",
        "100",
        "9",
        "9.00",
        "118.05",
    ]


@pytest.mark.parametrize(
    ("name", "read"), [("=SUM(A1)", "=SUM(A1)"), ("bell \x07 rung", "bell  rung"), ("", None), ("₹ हिन्दी", "₹ हिन्दी")]
)
def test_a_text_stays_a_text(tmp_path: Path, name: str, read: str | None) -> None:
    (row,) = read_back(tmp_path, ROW | {"name": name})
    assert row["customer_name"] == read


def test_a_date_that_is_none_is_kept_to_be_rejected_by_name(tmp_path: Path) -> None:
    (row,) = read_back(tmp_path, ROW | {"invoice_date": "yesterday"})
    assert row["invoiced_on"] == "yesterday"


def test_rows_in_any_order_give_the_same_bytes_oldest_first(tmp_path: Path) -> None:
    older = ROW | {"invoice_date": "2026-01-31 09:00:00", "invoice_number": "UC567-2025-26-1066"}
    assert [row["invoiced_on"] for row in read_back(tmp_path, ROW, older)] == ["31/01/2026", "01/02/2026"]
    one = (tmp_path / "rows.xlsx").read_bytes()
    read_back(tmp_path, older, ROW)
    assert (tmp_path / "rows.xlsx").read_bytes() == one


def test_no_rows_are_an_empty_report(tmp_path: Path) -> None:
    assert read_back(tmp_path) == []


@pytest.mark.parametrize("field", FIELDS.values())
def test_a_missing_field_is_told_by_name_without_the_rows_values(tmp_path: Path, field: str) -> None:
    row = {name: value for name, value in ROW.items() if name != field}
    with pytest.raises(PortalChanged, match=rf"missing: {field}$") as refused:
        read_back(tmp_path, ROW, row)
    assert not (tmp_path / "rows.xlsx").exists()
    assert "Rohan" not in str(refused.value)
