"""Cells: a table's values changed as a portal's mistake, or a person's, would; the file around them is in order."""

from collections.abc import Callable
from random import Random
from xml.sax.saxutils import escape

from openpyxl.utils import get_column_letter

from crm_assets_tests.sheets import Cells

type Edit = Callable[[Cells, Random], None]


def sheet_xml(text: str, cells: Cells) -> str:
    """The sheet's XML with these cells in place of its own, as SheetJS writes them."""
    start, end = text.index("<sheetData>") + len("<sheetData>"), text.index("</sheetData>")
    return text[:start] + "".join(_row(number, row) for number, row in enumerate(cells, start=1)) + text[end:]


def _row(number: int, row: list[object]) -> str:
    cells = ""
    for column, value in enumerate(row, start=1):
        place = f'r="{get_column_letter(column)}{number}"'
        if isinstance(value, str):
            cells += f'<c {place} t="str"><v xml:space="preserve">{escape(value)}</v></c>'
        elif value is not None:
            cells += f"<c {place}><v>{value}</v></c>"
    return f'<row r="{number}">{cells}</row>'


def _filled(cells: Cells, random: Random) -> tuple[int, int]:
    return random.choice(
        [(row, at) for row, texts in enumerate(cells) for at, text in enumerate(texts) if text is not None]
    )


def swap_two_values(cells: Cells, random: Random) -> None:
    (row, at), (other, there) = _filled(cells, random), _filled(cells, random)
    cells[row][at], cells[other][there] = cells[other][there], cells[row][at]


def swap_two_rows_values(cells: Cells, random: Random) -> None:
    at = random.randrange(len(cells[0]))
    one, other = random.randrange(1, len(cells)), random.randrange(1, len(cells))
    cells[one][at], cells[other][at] = cells[other][at], cells[one][at]


def blank_a_value(cells: Cells, random: Random) -> None:
    row, at = _filled(cells, random)
    cells[row][at] = None


def change_a_digit(cells: Cells, random: Random) -> None:
    row, at = random.choice(
        [
            (row, at)
            for row, texts in enumerate(cells)
            for at, text in enumerate(texts)
            if any(map(str.isdigit, str(text)))
        ]
    )
    value = cells[row][at]
    signs = list(str(value))
    place = random.choice([place for place, sign in enumerate(signs) if sign.isdigit()])
    signs[place] = str((int(signs[place]) + random.randrange(1, 10)) % 10)
    cells[row][at] = "".join(signs) if isinstance(value, str) else float("".join(signs))


def change_an_amount(cells: Cells, random: Random) -> None:
    row, at = random.choice(
        [(row, at) for row, texts in enumerate(cells) for at, text in enumerate(texts) if isinstance(text, int | float)]
    )
    cells[row][at] = random.choice(
        [-cells[row][at], cells[row][at] + 0.06, cells[row][at] * 100, 0, 1e9, 1e300, "free", "1,5"]
    )


def write_an_amount_as_text(cells: Cells, random: Random) -> None:
    row, at = random.choice(
        [(row, at) for row, texts in enumerate(cells) for at, text in enumerate(texts) if isinstance(text, int | float)]
    )
    cells[row][at] = random.choice(["{}", " {} ", "₹{}", "{:,}"]).format(cells[row][at])


def shift_a_row(cells: Cells, random: Random) -> None:
    row = cells[random.randrange(len(cells))]
    at = random.randrange(len(row))
    if random.random() < 0.5:
        row.insert(at, None)
    else:
        del row[at]


def shift_a_column(cells: Cells, random: Random) -> None:
    at = random.randrange(len(cells[0]))
    for row, below in zip(cells, [*cells[1:], [None] * len(cells[0])], strict=True):
        row[at] = below[at]


def duplicate_a_row(cells: Cells, random: Random) -> None:
    cells.insert(random.randrange(1, len(cells) + 1), list(random.choice(cells[1:])))


def drop_a_row(cells: Cells, random: Random) -> None:
    del cells[random.randrange(len(cells))]


def insert_a_blank_row(cells: Cells, random: Random) -> None:
    cells.insert(random.randrange(len(cells) + 1), [None] * len(cells[0]))


def shuffle_the_rows(cells: Cells, random: Random) -> None:
    middle = cells[1:-1]
    random.shuffle(middle)
    cells[1:-1] = middle


def shuffle_the_columns(cells: Cells, random: Random) -> None:
    order = list(range(len(cells[0])))
    random.shuffle(order)
    cells[:] = [[row[at] for at in order] for row in cells]


def change_a_header(cells: Cells, random: Random) -> None:
    at = random.randrange(len(cells[0]))
    header = cells[0][at]
    place = random.randrange(len(header))
    cells[0][at] = random.choice(
        [header[:place] + header[place + 1 :], header.swapcase(), f" {header}  ", header + ".", cells[0][at - 1]]
    )


def spoil_a_text(cells: Cells, random: Random) -> None:
    row, at = _filled(cells[1:], random)
    cells[row + 1][at] = random.choice(
        [
            "#REF!",
            "#FORMULA!",
            "NA",
            " ",
            "\u00a0",
            "=1+1",
            "12/11/2025",
            "11/13/2025",
            "13 Nov 2025",
            "\U0001f600" * 50,
            "T842",
            "'",
        ]
    )


EDITS: list[Edit] = [
    swap_two_values,
    swap_two_rows_values,
    blank_a_value,
    change_a_digit,
    change_an_amount,
    write_an_amount_as_text,
    shift_a_row,
    shift_a_column,
    duplicate_a_row,
    drop_a_row,
    insert_a_blank_row,
    shuffle_the_rows,
    shuffle_the_columns,
    change_a_header,
    spoil_a_text,
]
