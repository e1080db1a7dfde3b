"""Golden workbooks: real files of several writers, each beside the rows, rejects and warnings that must come of it.

The portals' own samples are SheetJS's; those named after their oddity were written by openpyxl, with invented data. To add one,
put the workbook beside the others and write down what must come of it; the failing test shows what does.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crm_assets import workbook
from crm_assets.errors import BadReport
from crm_assets.model import Claims, Problem, Store
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove, refuse_bad_rows
from crm_assets.rows import TypedRows, read_rows
from crm_assets_tests.fixtures.sandbox import days
from crm_assets_tests.sheets import SAMPLES

GOLDEN = sorted(SAMPLES.glob("*.json"))
TD = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1))
UC = Store(crm="uc", code="sushantlok1", name="Sushant Lok 1", first_day=date(2025, 11, 1), booking_prefix="UC610")


def outcome(file: Path) -> dict[str, Any]:
    """What comes of the file, as it would stand in JSON; only what there is."""
    report, store = (ORDER_REPORT, TD) if file.name.startswith("td") else (GST_REPORT, UC)
    try:
        table = workbook.read(file, report)
        rows = prove(table, report, store, days("2025-11-12", "2025-11-13"), Claims())
        typed = read_rows(rows, report)
        refuse_bad_rows(typed, report, str(store), limit=0.5)
    except BadReport as error:
        return {"refused": f"{error.code}: {error}"}
    beside = {number: extra for number, extra in zip(rows["row_number"], rows["_extra"], strict=True) if extra}
    found: dict[str, Any] = {"rows": _rows(typed), "rejects": _rejects(typed), "beside": beside}
    told: dict[str, Any] = json.loads(json.dumps({name: value for name, value in found.items() if value}))
    return told


def _rows(typed: TypedRows) -> list[dict[str, Any]]:
    """Every value by its column, empty ones left out; amounts and days as they are written."""
    return [
        {
            str(name): [_told(problem) for problem in value] if name == "warnings" else _plain(value)
            for name, value in row.items()
            if value is not None
        }
        for row in typed.rows.to_dict("records")
    ]


def _rejects(typed: TypedRows) -> dict[int, list[str]]:
    return {reject.row_number: [_told(problem) for problem in reject.problems] for reject in typed.rejects}


def _told(problem: Problem) -> str:
    return f"{problem.column}: {problem.rule}: {problem.value!r}"


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.stem)
def test_a_golden_workbook_comes_out_as_written_beside_it(golden: Path) -> None:
    assert outcome(golden.with_suffix(".xlsx")) == json.loads(golden.read_text(encoding="utf-8"))


def test_there_are_golden_workbooks() -> None:
    assert len(GOLDEN) >= 8
