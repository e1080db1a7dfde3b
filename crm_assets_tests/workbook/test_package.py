"""The package: a file that is no workbook, a damaged or a hostile one is told before anything is read."""

import io
import struct
import zipfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import NotAWorkbook, TooLarge
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.workbook import package
from crm_assets_tests.sheets import PARTS, SHEET, TD_SAMPLE, TINY, raw

SIZE_IN_DIRECTORY, SIZE_IN_HEADER, FLAGS_IN_DIRECTORY, METHOD_IN_DIRECTORY = 24, 22, 8, 10


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file of 0 bytes that begins b''"),
        (b"<!DOCTYPE html><html>Login</html>", "an HTML page of 33 bytes that begins b'<!DOCTYPE html>"),
        (b"\n  <html></html>", "an HTML page of 16 bytes"),
        (b'{"data": []}', "something else of 12 bytes"),
        (b"PK\x05\x06" + bytes(18), "something else of 22 bytes that begins b'PK"),
        (b"PK\x03\x05 and more", "something else of 13 bytes that begins b'PK"),
        (package.OLE_MAGIC + bytes(504), "an encrypted or old (.xls) workbook of 512 bytes that begins b'\\xd0\\xcf"),
    ],
    ids=["empty", "html", "html after spaces", "json", "empty zip", "wrong magic", "ole"],
)
def test_a_file_that_is_no_workbook_is_told_by_its_first_bytes(tmp_path: Path, content: bytes, kind: str) -> None:
    file = tmp_path / "report.xlsx"
    file.write_bytes(content)
    with pytest.raises(NotAWorkbook) as refused:
        workbook.read(file, GST_REPORT)
    assert f"expected an .xlsx workbook, found {kind}" in str(refused.value)


def test_a_workbook_truncated_anywhere_is_a_damaged_one(tmp_path: Path) -> None:
    file, whole = tmp_path / "report.xlsx", TD_SAMPLE.read_bytes()
    for kept in [4, 5, 30, *range(100, len(whole), 499), len(whole) - 30, len(whole) - 1]:
        file.write_bytes(whole[:kept])
        with pytest.raises(NotAWorkbook, match="found a damaged one"):
            workbook.read(file, ORDER_REPORT)


def with_entry(file: Path, name: str, offset: int, value: int, size: str = "<I") -> Path:
    """The file with one field of a part's entry in the directory changed."""
    content = bytearray(file.read_bytes())
    entry = content.rindex(name.encode()) - 46
    assert content[entry : entry + 4] == package.DIRECTORY_ENTRY
    struct.pack_into(size, content, entry + offset, value)
    file.write_bytes(content)
    return file


def test_an_encrypted_part_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(NotAWorkbook, match="found an encrypted one"):
        workbook.read(with_entry(raw(tmp_path, ""), SHEET, FLAGS_IN_DIRECTORY, 1, "<H"), TINY)


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 99])
def test_a_part_that_is_neither_stored_nor_deflated_is_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(NotAWorkbook, match="expected parts that are stored or deflated"):
        workbook.read(with_entry(raw(tmp_path, ""), SHEET, METHOD_IN_DIRECTORY, method, "<H"), TINY)


@pytest.mark.parametrize("size", [0, 1, 2**31])
def test_a_part_that_lies_about_its_size_is_read_whole_or_not_at_all(tmp_path: Path, size: int) -> None:
    row = '<row r="2"><c r="A2" t="str"><v>T1</v></c></row>'
    file = with_entry(raw(tmp_path, row), SHEET, SIZE_IN_DIRECTORY, size)
    if size < 2:
        with pytest.raises(NotAWorkbook, match="found a damaged one"):
            workbook.read(file, TINY)
    else:
        assert list(workbook.read(file, TINY).rows["key"]) == ["T1"]


@pytest.mark.parametrize("claimed", [None, 10], ids=["honest", "lying"])
def test_a_part_that_unpacks_to_very_much_is_refused_while_it_unpacks(tmp_path: Path, claimed: int | None) -> None:
    file = raw(tmp_path, "", parts={"xl/media/image1.png": "\0" * (package.UNPACKED_BYTES + 1)})
    if claimed:
        with_entry(file, "xl/media/image1.png", SIZE_IN_DIRECTORY, claimed)
    assert file.stat().st_size < 50_000
    with pytest.raises(NotAWorkbook if claimed else TooLarge):
        workbook.read(file, TINY)


def test_many_parts_that_are_large_together_are_refused(tmp_path: Path) -> None:
    file = raw(
        tmp_path, "", parts={f"xl/media/{number}.bin": "\0" * (package.UNPACKED_BYTES // 10) for number in range(11)}
    )
    with pytest.raises(TooLarge, match="expected a workbook that unpacks to at most 33554432 bytes, found more"):
        workbook.read(file, TINY)


def test_a_large_file_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    file = raw(tmp_path, "")
    with file.open("r+b") as stream:
        stream.truncate(package.FILE_BYTES + 1)
    with pytest.raises(TooLarge, match="expected a workbook of at most 16777216 bytes, found 16777217"):
        workbook.read(file, TINY)


def test_more_parts_than_any_report_has_are_refused(tmp_path: Path) -> None:
    few = {f"xl/p{number}.bin": "" for number in range(package.MEMBERS - len(PARTS) - 1)}
    assert workbook.read(raw(tmp_path, "", parts=few), TINY).rows.empty
    with pytest.raises(TooLarge, match="expected a workbook of at most 200 parts"):
        workbook.read(raw(tmp_path, "", parts=few | {"xl/one.bin": ""}), TINY)


@pytest.mark.parametrize("name", [SHEET, SHEET.replace("sheet1", "Sheet1")])
def test_a_part_that_is_there_twice_is_refused(tmp_path: Path, name: str) -> None:
    content = io.BytesIO(raw(tmp_path, "").read_bytes())
    with zipfile.ZipFile(content, "a") as archive, pytest.warns(UserWarning) if name == SHEET else nullcontext():
        archive.writestr(name, "<other/>")
    file = tmp_path / "twice.xlsx"
    file.write_bytes(content.getvalue())
    with pytest.raises(NotAWorkbook, match="expected each part of the workbook once, found one twice"):
        workbook.read(file, TINY)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_workbook_without_one_of_its_parts_says_which(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotAWorkbook, match=f"expected an .xlsx workbook, found a zip without {name}"):
        workbook.read(raw(tmp_path, "", parts={name: None}), TINY)
