"""Workbooks as SheetJS writes them: stored parts, zip times of zero, every text an inline ``str``.

The same rows give the same bytes; ``web/sheetjs.js`` writes the same bytes in a browser. What never changes lies in
``sheetjs/`` as the portals' own files hold it. Which columns there are stands in ``layouts``.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from crm_assets.sandbox.layouts import Cell, Layout, Row

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_PARTS = files("crm_assets.sandbox") / "sheetjs"
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_SPACE_TO_KEEP = re.compile(r"^\s|\s\Z|\n")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
_DOS_EPOCH = (1980, 0, 0, 0, 0, 0)


def workbook(layout: Layout, rows: Sequence[Row]) -> bytes:
    """The whole file: headers, the rows, and the footer where the layout has one."""
    cells: list[list[Cell]] = [list(layout.headers), *([row[header] for header in layout.headers] for row in rows)]
    if layout.footer_label is not None:
        cells.append(list(footer(layout, rows).values()))
    return _zipped(layout.title, cells)


def footer(layout: Layout, rows: Sequence[Row]) -> dict[str, Cell]:
    """The closing row: its label, the number of rows, and the sums."""
    sums = {header: total(row[header] for row in rows) for header in layout.sums}
    return dict.fromkeys(layout.headers) | {layout.headers[0]: layout.footer_label, layout.count: len(rows)} | sums


def total(values: Iterable[Cell]) -> float:
    """A sum of amounts to the paisa, free of what binary fractions add."""
    return round(sum(value for value in values if isinstance(value, int | float)), 2)


def number_text(value: float) -> str:
    """A number as JavaScript spells it: ``191``, ``238.5``."""
    return str(int(value)) if value == int(value) else repr(value)


def column_name(index: int) -> str:
    """Letters of a column counted from zero: ``A``, ``Z``, ``AA``."""
    ahead, letter = divmod(index, 26)
    return (column_name(ahead - 1) if ahead else "") + chr(ord("A") + letter)


def _cell_xml(place: str, value: Cell) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return f'<c r="{place}"><v>{number_text(value)}</v></c>'
    keep = ' xml:space="preserve"' if _SPACE_TO_KEEP.search(value) else ""
    return f'<c r="{place}" t="str"><v{keep}>{value.translate(_ENTITIES)}</v></c>'


def _row_xml(number: int, cells: Sequence[Cell]) -> str:
    inner = "".join(_cell_xml(f"{column_name(index)}{number}", value) for index, value in enumerate(cells))
    return f'<row r="{number}">{inner}</row>'


def _zipped(title: str, cells: Sequence[Sequence[Cell]]) -> bytes:
    area = f"A1:{column_name(len(cells[0]) - 1)}{len(cells)}"
    rows = "".join(_row_xml(number, row) for number, row in enumerate(cells, start=1))
    shelf = io.BytesIO()
    with zipfile.ZipFile(shelf, "w") as archive:
        for name, text in _parts():
            filled = text.replace("{{title}}", title).replace("{{area}}", area).replace("{{rows}}", rows)
            part = zipfile.ZipInfo(name, _DOS_EPOCH)
            part.create_system = 0
            part.create_version = 0
            archive.writestr(part, filled.encode())
            part.external_attr = 0  # zipfile sets a file mode, SheetJS none; the directory is written on closing
    return shelf.getvalue()


@cache
def _parts() -> tuple[tuple[str, str], ...]:
    manifest = json.loads((_PARTS / "manifest.json").read_text(encoding="utf-8"))
    return tuple((name, _DECLARATION + (_PARTS / source).read_text(encoding="utf-8")) for name, source in manifest)
