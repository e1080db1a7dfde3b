"""The files that are mutated, and what comes of a file: a refusal, or texts and typed rows."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from crm_assets import workbook
from crm_assets.errors import BadReport
from crm_assets.model import Claims, Report, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove, refuse_bad_rows
from crm_assets.rows import read_rows
from crm_assets_tests.fixtures.sandbox import days
from crm_assets_tests.sheets import SAMPLES, TD_SAMPLE, UC_SAMPLE

TD = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1))
UC = Store(crm="uc", code="sushantlok1", name="Sushant Lok 1", first_day=date(2025, 11, 1), booking_prefix="UC610")
BANNER = ("taxable_value", "cgst", "sgst", "invoice_value")

type Texts = list[dict[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A workbook, and how it is asked for. ``claims`` is what UClean's banner says beside the file."""

    file: Path
    report: Report
    store: Store
    window: Window = field(default_factory=lambda: days("2025-11-12"))
    claims: Claims = field(default_factory=Claims)

    @property
    def name(self) -> str:
        return self.file.stem.split("_2025")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``refused``: the error's code, or None; ``texts``: the staged rows; ``typed`` and ``rejected``: by row number."""

    refused: str | None = None
    texts: Texts = field(default_factory=list)
    typed: dict[int, dict[Any, Any]] = field(default_factory=dict)
    rejected: set[int] = field(default_factory=set)


def outcome(file: Path, subject: Subject) -> Outcome:
    """Read, prove and type the file, as the pipeline does. Lets every error but a BadReport pass."""
    try:
        table = workbook.read(file, subject.report)
        rows = prove(table, subject.report, subject.store, subject.window, subject.claims)
        typed = read_rows(rows, subject.report)
        refuse_bad_rows(typed, subject.report, str(subject.store), limit=0.1)
    except BadReport as error:
        return Outcome(refused=error.code)
    rejected = {reject.row_number for reject in typed.rejects}
    loaded = [number for number in table.rows["row_number"] if number not in rejected]
    return Outcome(
        texts=table.rows.to_dict("records"),
        typed=dict(zip(loaded, typed.rows.drop(columns="warnings").to_dict("records"), strict=True)),
        rejected=rejected,
    )


def _sums(file: Path) -> Claims:
    rows = workbook.read(file, GST_REPORT).rows
    return Claims(sums={name: sum((Decimal(text) for text in rows[name] if text), Decimal(0)) for name in BANNER})


def subjects() -> list[Subject]:
    """SheetJS's files, then openpyxl's: those have shared strings, styles and dates."""
    dated = SAMPLES / "uc_typed_dates.xlsx"
    return [
        Subject(file=UC_SAMPLE, report=GST_REPORT, store=UC, claims=_sums(UC_SAMPLE)),
        Subject(file=TD_SAMPLE, report=ORDER_REPORT, store=TD),
        Subject(file=dated, report=GST_REPORT, store=UC, claims=_sums(dated)),
        Subject(file=SAMPLES / "td_orders_by_hand.xlsx", report=ORDER_REPORT, store=TD),
    ]
