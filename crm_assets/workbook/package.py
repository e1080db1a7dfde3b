"""The package of a workbook: a zip of parts, checked from the outside in before any of them is read.

Sizes, counts and checksums. What the parts say belongs to ``book.py`` and ``sheet.py``.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from crm_assets.errors import NotAWorkbook, TooLarge

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DIRECTORY_ENTRY = b"PK\x01\x02"
FILE_BYTES = 16 * 2**20  # 90 days of the busiest store are less than 1 MB
UNPACKED_BYTES = 32 * 2**20
MEMBERS = 200
CHUNK = 2**16
ENCRYPTED = 0x1
READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)  # zipfile's own, too


def sniff(file: Path) -> None:
    """Raise NotAWorkbook unless the first bytes are those of an .xlsx; shows them when they are not. Raises TooLarge by size."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(512)
    if not head.startswith(ZIP_MAGIC):
        raise NotAWorkbook(
            f"expected an .xlsx workbook, found {_kind(head)} of {size} bytes that begins {head[:24]!r}. "
            "Look at the kept file"
        )
    if size > FILE_BYTES:
        raise TooLarge(f"expected a workbook of at most {FILE_BYTES} bytes, found {size}. Look at the kept file")


def _kind(head: bytes) -> str:
    if not head:
        return "an empty file"
    if head.startswith(OLE_MAGIC):
        return "an encrypted or old (.xls) workbook"
    return "an HTML page" if b"<" in head[:16] else "something else"


def unpack(file: Path) -> dict[str, bytes]:
    """Every XML part by its name, all checksums proven. Raises NotAWorkbook, or TooLarge."""
    sniff(file)
    content = file.read_bytes()
    if content.count(DIRECTORY_ENTRY) > MEMBERS:
        raise TooLarge(f"expected a workbook of at most {MEMBERS} parts, found more. Look at the kept file")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_odd_members(archive.infolist())
            return _parts(archive)
    except DAMAGE as error:
        raise NotAWorkbook(f"expected a readable .xlsx workbook, found a damaged one: {error}") from error


def part(parts: Mapping[str, bytes], name: str) -> bytes:
    """The part of that name. Raises NotAWorkbook."""
    if name not in parts:
        raise NotAWorkbook(f"expected an .xlsx workbook, found a zip without {name[:100]}. Look at the kept file")
    return parts[name]


def _refuse_odd_members(members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename.lower() for member in members]
    if len(set(names)) < len(names):
        raise NotAWorkbook("expected each part of the workbook once, found one twice. Look at the kept file")
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise NotAWorkbook("expected a readable .xlsx workbook, found an encrypted one. Look at the kept file")
    if any(member.compress_type not in READABLE for member in members):
        raise NotAWorkbook(
            "expected parts that are stored or deflated, found another compression. Look at the kept file"
        )


def _parts(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Read every member, also those that nobody needs: a file that is damaged anywhere is not believed elsewhere."""
    parts, left = dict[str, bytes](), UNPACKED_BYTES
    for member in archive.infolist():
        content = _read(archive, member, left)
        left -= len(content)
        if member.filename.endswith((".xml", ".rels")):
            parts[member.filename] = content
    return parts


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """A part's bytes, its checksum proven. Raises TooLarge while it unpacks, whatever size the file claims."""
    chunks, size = list[bytes](), 0
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise TooLarge(
                    f"expected a workbook that unpacks to at most {UNPACKED_BYTES} bytes, found more. Look at the kept file"
                )
    return b"".join(chunks)
