"""Whatever happens to a file: it is refused as a BadReport, or exactly the rows that it holds are read."""

import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random

import pytest

from crm_assets_tests.mutants.cells import EDITS, sheet_xml
from crm_assets_tests.mutants.damage import DAMAGES
from crm_assets_tests.mutants.markup import mutate, packed, parts_of
from crm_assets_tests.mutants.oracle import Grid, grid_of, meaning_of, rows_of, text_of
from crm_assets_tests.mutants.subjects import Outcome, Subject, outcome, subjects
from crm_assets_tests.sheets import SHEET, cells_of

pytestmark = pytest.mark.no_cover  # so many turns of the same lines: what counts them would take longer than they do

SUBJECTS = subjects()
BYTES, MARKUP, CELLS = 800, 560, 750  # mutants of each subject
SECONDS = 5  # for one mutant; it takes milliseconds
TOLERANCE = Decimal("0.05")

type Standing = Callable[[], Grid | None]


def counted(
    tmp_path: Path, subject: Subject, count: int, make: Callable[[Path, int, Random], Standing]
) -> Counter[str]:
    """How often each outcome came, once every mutant is refused, or read as it stands, or, where nothing says how, as it always
    was. ``make`` writes a mutant; its answer tells how it stands, and is asked only where something was read.
    """
    original, seen = outcome(subject.file, subject), Counter[str]()
    file = tmp_path / "mutant.xlsx"
    for number in range(count):
        standing = make(file, number, Random(f"{subject.name} {number}"))  # noqa: S311
        began = time.monotonic()
        found = outcome(file, subject)
        assert time.monotonic() - began < SECONDS, number
        if found.refused is None:
            grid = standing()
            if grid is None:
                assert found == original, number
            else:
                assert_holds(found, grid, subject, number)
        seen[found.refused or ("unchanged" if found == original else "changed")] += 1
    return seen


def assert_holds(found: Outcome, grid: Grid, subject: Subject, number: int) -> None:
    """The outcome is what the grid holds: every text, every value, every rejected row; and what is proven of the file is so."""
    expected = rows_of(grid, subject.report)
    names = [column.name for column in subject.report.columns]
    assert [{name: row[name] for name in (*names, "row_number")} for row in found.texts] == expected, number
    meant = {row["row_number"]: meaning_of(row, subject.report) for row in expected}
    assert found.rejected == {row for row, values in meant.items() if values is None}, number
    assert {
        row: {name: values[name] for name in values if name != "business_day"} for row, values in found.typed.items()
    } == {row: values for row, values in meant.items() if values is not None}, number
    assert_proven(found, grid, subject, number)


def assert_proven(found: Outcome, grid: Grid, subject: Subject, number: int) -> None:
    """No two rows of a key, none of another day, and the count and the sums that stand in the footer or above the page."""
    keys = [values[subject.report.key] for values in found.typed.values()]
    assert len(keys) == len(set(keys)), number
    assert {values["business_day"] for values in found.typed.values()} <= set(subject.window.days()), number
    sums = dict(subject.claims.sums)
    if subject.report.footer:
        last = next(row for row in reversed(grid) if any(row))
        headers = [" ".join((text or "").split()) for text in next(row for row in grid if any(row))]
        told = {
            name: last[headers.index(subject.report.column(name).header)]
            for name in ("order_number", *subject.report.footer.sums)
        }
        assert Decimal(told.pop("order_number") or "x") == len(found.texts), number
        sums = {name: Decimal(text or "x") for name, text in told.items()}
    if not found.rejected:
        for name, total in sums.items():
            of_rows = sum((Decimal(values[name] or 0) for values in found.typed.values()), Decimal(0))
            assert abs(of_rows - total) <= TOLERANCE + Decimal("0.005") * len(found.typed), (number, name)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_damaged_bytes_never_change_a_value(tmp_path: Path, subject: Subject) -> None:
    whole = subject.file.read_bytes()

    def make(file: Path, number: int, random: Random) -> Standing:
        content = bytearray(whole)
        DAMAGES[number % len(DAMAGES)](content, random)
        file.write_bytes(content)
        return lambda: None

    seen = counted(tmp_path, subject, BYTES, make)
    assert seen["changed"] == 0
    assert seen["NotAWorkbook"] > 400
    assert seen["unchanged"] > 40


def by_another_reader(file: Path, subject: Subject) -> Grid | None:
    try:
        return grid_of(file, subject.report.sheet)
    except Exception:  # noqa: BLE001 - it raises anything
        return None


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_changed_markup_is_refused_or_read_as_another_reader_reads_it(tmp_path: Path, subject: Subject) -> None:
    """Where the other reader gives up, over a part that does not matter, the rows must be the original's."""
    parts = parts_of(subject.file)

    def make(file: Path, number: int, random: Random) -> Standing:
        changed = dict(parts)
        mutate(changed, number, random)
        packed(changed, file)
        return partial(by_another_reader, file, subject)

    seen = counted(tmp_path, subject, MARKUP, make)
    assert seen["NotAWorkbook"] > 100
    assert seen["unchanged"] > 50
    assert seen["changed"] > 10


@pytest.mark.parametrize("subject", SUBJECTS[:2], ids=lambda subject: subject.name)
def test_changed_cells_are_refused_or_read_as_they_stand(tmp_path: Path, subject: Subject) -> None:
    parts, cells = parts_of(subject.file), cells_of(subject.file)

    def make(file: Path, number: int, random: Random) -> Standing:
        changed = [list(row) for row in cells]
        EDITS[number % len(EDITS)](changed, random)
        packed(parts | {SHEET: sheet_xml(parts[SHEET], changed)}, file)
        width = max(len(row) for row in changed)
        return lambda: [[text_of(value) for value in row] + [None] * (width - len(row)) for row in changed]

    seen = counted(tmp_path, subject, CELLS, make)
    assert min(seen["HeaderDrift"], seen["ChecksumMismatch"]) > 50
    assert min(seen["changed"], seen["unchanged"]) > 20


def test_there_are_at_least_five_thousand_mutants() -> None:
    assert len(SUBJECTS) * (BYTES + MARKUP) + 2 * CELLS >= 5_000
