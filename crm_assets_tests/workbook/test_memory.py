"""Memory: the largest workbook that is accepted, and each that would be larger, in a process of its own."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crm_assets.workbook import book, package, sheet
from crm_assets_tests.sheets import LINKS, MAIN, PARTS, SHEET, STRINGS, STYLES, raw

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux tells it")
MOST_BYTES = 300 * 2**20
READER = """
import json, re, sys
from datetime import date
from pathlib import Path
from crm_assets import proof, rows, workbook
from crm_assets.errors import BadReport
from crm_assets_tests.sheets import TINY
for line in sys.stdin:
    Path("/proc/self/clear_refs").write_text("5")  # forget the most that was held so far
    try:
        texts = workbook.read(Path(line.strip()), TINY).rows
        rows.read_rows(texts.assign(business_day=date(2025, 11, 12)), TINY)
        found = len(texts)
    except BadReport as error:
        found = error.code
    texts = None
    most = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
    print(json.dumps([found, most]), flush=True)
"""  # getrusage would count the process that starts this one, too

type ReadAlone = Callable[[Path], tuple[int | str, int]]


@pytest.fixture(scope="module")
def read_alone() -> Iterator[ReadAlone]:
    """Reads a file in a process that does nothing else: the number of rows, or why the file was refused; and the most memory
    that the process held meanwhile, with what it had loaded before.
    """
    with subprocess.Popen(
        [sys.executable, "-c", READER],
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def read(file: Path) -> tuple[int | str, int]:
            assert process.stdin
            assert process.stdout
            print(file, file=process.stdin, flush=True)
            found, most = json.loads(process.stdout.readline())
            return found, most

        yield read
        assert process.stdin
        process.stdin.close()


def cells(rows: int, columns: int, text: str = "{row}-{column}") -> str:
    """A header row of its own would need names; the columns beyond the third have none."""
    letters = [name(column) for column in range(1, columns + 1)]
    return "".join(
        f'<row r="{row}">'
        + "".join(
            f'<c r="{letter}{row}" t="str"><v>{text.format(row=row, column=column)}</v></c>'
            for column, letter in enumerate(letters)
        )
        + "</row>"
        for row in range(2, rows + 1)
    )


def name(column: int) -> str:
    ahead, letter = divmod(column - 1, 26)
    return (name(ahead) if ahead else "") + chr(ord("A") + letter)


@pytest.mark.parametrize(("rows", "columns"), [(50_000, 10), (1_666, 300)])
def test_the_largest_sheet_is_read_within_300_mb(
    read_alone: ReadAlone, tmp_path: Path, rows: int, columns: int
) -> None:
    found, most = read_alone(raw(tmp_path, cells(rows, columns, "{row}")))
    assert found == rows - 1
    assert most < MOST_BYTES


def long_texts(folder: Path) -> Path:
    """Each character takes four bytes for the sake of one that needs them."""
    text = "x" * 32_766 + "\U0001f600"
    return raw(
        folder, "".join(f'<row r="{row}"><c r="A{row}" t="str"><v>{text}</v></c></row>' for row in range(2, 1_000))
    )


def wide(folder: Path) -> Path:
    return raw(folder, "".join(f'<row r="{row}"><c r="KN{row}"><v>1</v></c></row>' for row in range(2, 40_000)))


def merged(folder: Path) -> Path:
    return raw(folder, "", beside='<mergeCells><mergeCell ref="A2:J50000"/></mergeCells>')


def packed(folder: Path) -> Path:
    file = raw(folder, "")
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/image1.bin", "w") as part:
        for _ in range(100):
            part.write(bytes(2**20))
    return file


def many_parts(folder: Path) -> Path:
    file = folder / "parts.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(60_000):
            archive.writestr(f"{number}", b"")
    assert file.stat().st_size < package.FILE_BYTES
    return file


def many_strings(folder: Path) -> Path:
    strings = "".join(f"<si><t>{number}</t></si>" for number in range(book.STRINGS + 1))
    return raw(folder, "", parts={STRINGS: f"<sst {MAIN}>{strings}</sst>"})


def empty_strings(folder: Path) -> Path:
    return raw(folder, "", parts={STRINGS: f"<sst {MAIN}>{'<si/>' * 6_000_000}</sst>"})


def many_links(folder: Path) -> Path:
    links = "".join(f'<Relationship Id="a{number}"/>' for number in range(100_000))
    return raw(folder, "", parts={LINKS: PARTS[LINKS].replace("</Rel", f"{links}</Rel")})


def many_styles(folder: Path) -> Path:
    return raw(folder, "", parts={STYLES: PARTS[STYLES].replace("</cellXfs>", "<xf/>" * 3_000_000 + "</cellXfs>")})


def deep(folder: Path) -> Path:
    return raw(folder, "", parts={SHEET: f"<a {MAIN}>" + "<a>" * 1_500_000 + "</a>" * 1_500_001})


def many_attributes(folder: Path) -> Path:
    return raw(folder, "<row " + "".join(f'a{number}="" ' for number in range(500_000)) + "/>")


def one_long_text(folder: Path) -> Path:
    return raw(folder, f'<row r="2"><c r="A2" t="str"><v>{"x" * 30_000_000}</v></c></row>')


def much_text_in_one_cell(folder: Path) -> Path:
    return raw(folder, f'<row r="2"><c r="A2" t="str"><v>{"x<!-- -->" * 3_000_000}</v></c></row>')


def many_empty_tags(folder: Path) -> Path:
    return raw(folder, "", beside="<a/>" * 8_000_000)


def many_entities(folder: Path) -> Path:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
    return raw(
        folder,
        "",
        parts={STRINGS: f'<!DOCTYPE sst [<!ENTITY e0 "x">{entities}]><sst {MAIN}><si><t>&e12;</t></si></sst>'},
    )


@pytest.mark.parametrize(
    ("bomb", "outcome"),
    [
        (long_texts, 998),
        (wide, "TooLarge"),
        (merged, 49_999),
        (packed, "TooLarge"),
        (many_parts, "TooLarge"),
        (many_strings, "TooLarge"),
        (empty_strings, "TooLarge"),
        (many_links, "TooLarge"),
        (many_styles, "TooLarge"),
        (deep, "NotAWorkbook"),
        (many_attributes, "TooLarge"),
        (one_long_text, "TooLarge"),
        (much_text_in_one_cell, 1),
        (many_empty_tags, "TooLarge"),
        (many_entities, "NotAWorkbook"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_bomb_takes_no_more_memory_than_a_report(
    read_alone: ReadAlone, tmp_path: Path, bomb: Callable[[Path], Path], outcome: int | str
) -> None:
    found, most = read_alone(bomb(tmp_path))
    assert found == outcome
    assert most < MOST_BYTES


def test_the_limits_leave_room_for_a_year_of_the_busiest_store() -> None:
    assert sheet.CELLS > 6_600 * 42
    assert sheet.ROWS > 6_600
