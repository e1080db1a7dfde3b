"""The package of a workbook: a zip of XML parts, checked from the outside in before any spreadsheet reader sees it.

Sizes, counts and checksums first, then every part's XML. What the reader then gets is a new package of exactly the bytes that were
checked: a file cannot look different to it. What stands in the cells belongs to ``sheet.py`` and ``__init__.py``.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from crm_assets.errors import HeaderDrift, NotAWorkbook, TooLarge
from crm_assets.workbook.sheet import Scan, SheetScanner

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FILE_BYTES = 16 * 2**20  # 90 days of the busiest store are less than 1 MB
UNPACKED_BYTES = 32 * 2**20
MEMBERS = 200
CHUNK = 2**16
ENCRYPTED = 0x1
READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
BOOK, LINKS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """``content``: the checked parts as a new, unpacked zip; ``scan``: what the wanted sheet holds besides plain values."""

    content: io.BytesIO
    scan: Scan


def sniff(file: Path) -> None:
    """Raise NotAWorkbook unless the first bytes are those of an .xlsx; shows them when they are not. Raises TooLarge by size."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(512)
    if not head.startswith(ZIP_MAGIC):
        raise NotAWorkbook(f"expected an .xlsx workbook, found {_kind(head)} of {size} bytes that begins {head[:24]!r}")
    if size > FILE_BYTES:
        raise TooLarge(f"expected a workbook of at most {FILE_BYTES} bytes, found {size}")


def _kind(head: bytes) -> str:
    if not head:
        return "an empty file"
    if head.startswith(OLE_MAGIC):
        return "an encrypted or old (.xls) workbook"
    return "an HTML page" if b"<" in head[:16] else "something else"


def unpack(file: Path, sheet: str) -> Package:
    """Check the whole file for reading this sheet. Raises NotAWorkbook, TooLarge, or HeaderDrift when there is no such sheet."""
    sniff(file)
    with _damage_told(), zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _refuse_odd_members(members)
        place = _place_of(archive, sheet)
        content, scanner, left = io.BytesIO(), SheetScanner(), UNPACKED_BYTES
        with zipfile.ZipFile(content, "w") as checked:
            for member in members:
                part = _read(archive, member, left)
                left -= len(part)
                if member.filename.endswith((".xml", ".rels")):
                    _parse(part, scanner if member.filename == place else None)
                    checked.writestr(member.filename, part)
    content.seek(0)
    return Package(content=content, scan=scanner.scan())


@contextmanager
def _damage_told() -> Iterator[None]:
    """What the zip and XML readers raise for a broken file, as NotAWorkbook."""
    try:
        yield
    except expat.ExpatError as error:
        raise NotAWorkbook(f"expected a readable .xlsx workbook, found a damaged one: XML: {error}") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise NotAWorkbook(f"expected a readable .xlsx workbook, found a damaged one: {error}") from error


def _refuse_odd_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS:
        raise TooLarge(f"expected a workbook of at most {MEMBERS} parts, found {len(members)}")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise NotAWorkbook("expected each part of the workbook once, found one twice")
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise NotAWorkbook("expected a readable .xlsx workbook, found an encrypted one")
    if odd := [member.filename for member in members if member.compress_type not in READABLE]:
        raise NotAWorkbook(f"expected parts that are stored or deflated, found another compression in {odd[0]!r}")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """A part's bytes, its checksum proven. Raises TooLarge while it unpacks, whatever size the file claims."""
    part = bytearray()
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            part += chunk
            if len(part) > limit:
                raise TooLarge(f"expected a workbook that unpacks to at most {UNPACKED_BYTES} bytes, found more")
    return bytes(part)


def _place_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The name of the sheet's part, by way of the workbook's list of sheets and its links."""
    if missing := {BOOK, LINKS} - set(archive.namelist()):
        raise NotAWorkbook(f"expected an .xlsx workbook, found a zip without {sorted(missing)[0]}")
    sheets, links = dict[str, str](), dict[str, str]()

    def note(name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "sheet":
                key = next((value for at, value in attributes.items() if at.endswith(":id")), "")
                sheets[attributes.get("name", "")] = key
            case "Relationship":
                links[attributes.get("Id", "")] = attributes.get("Target", "")

    for name in (BOOK, LINKS):
        parser = _parser()
        parser.StartElementHandler = note
        parser.Parse(_read(archive, archive.getinfo(name), UNPACKED_BYTES), True)
    if sheet not in sheets:
        raise HeaderDrift(f"expected a sheet named {sheet!r}, found {list(sheets)}")
    target = links.get(sheets[sheet], "")
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _parse(part: bytes, scanner: SheetScanner | None) -> None:
    parser = _parser()
    if scanner:
        parser.StartElementHandler = scanner.begin
        parser.EndElementHandler = scanner.end
        parser.CharacterDataHandler = scanner.text
        parser.CommentHandler = parser.ProcessingInstructionHandler = _refuse_odd_xml
        parser.StartCdataSectionHandler = _refuse_odd_xml
    parser.Parse(part, True)


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_odd_xml  # no entities, so none that blow up or reach outside
    parser.XmlDeclHandler = _refuse_odd_encoding
    return parser


def _refuse_odd_xml(*_: object) -> None:
    """The reader may pass over what no spreadsheet program writes, and with it over a value."""
    raise NotAWorkbook("expected plain XML, found a DOCTYPE, a comment, an instruction or a CDATA section in it")


def _refuse_odd_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding and encoding.upper() not in ("UTF-8", "UTF8"):
        raise NotAWorkbook(f"expected XML in UTF-8, found {encoding!r}")
