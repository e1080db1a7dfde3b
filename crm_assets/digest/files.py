"""The digest's two files, each written whole: ``daily_sales_2026-11-26.html`` and ``.xlsx``."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from crm_assets.digest.figures import Digest
from crm_assets.digest.page import page_of
from crm_assets.digest.sheets import workbook_of
from crm_assets.files import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFiles:
    """Where the page and the workbook of a day stand."""

    page: Path
    workbook: Path

    @classmethod
    def of(cls, folder: Path, day: date) -> "DigestFiles":
        return cls(page=folder / f"daily_sales_{day}.html", workbook=folder / f"daily_sales_{day}.xlsx")


def write_digest(folder: Path, digest: Digest) -> DigestFiles:
    """Write both, in place of earlier ones of the day."""
    files = DigestFiles.of(folder, digest.day)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(files.page, page_of(digest).encode(), mode=0o640)
    write_whole(files.workbook, workbook_of(digest), mode=0o640)
    return files
