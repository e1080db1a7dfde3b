"""What the assets hand to each other and to the IO manager: what is good, and what failed beside it.

An asset that works for several stores or windows keeps what is good: it is committed and recorded per partition, then the run
fails with every reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crm_assets.browser.evidence import Evidence, picture_markdown
from crm_assets.errors import CrmError, advice
from crm_assets.model import Download, Report, Store, Window
from crm_assets.rows import TypedRows
from crm_assets.warehouse.landed import LandedFile
from crm_assets.warehouse.staging import StagedExport
from crm_assets.workbook import TextTable

if TYPE_CHECKING:
    import dagster as dg
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One store's window that did not make it."""

    store: str
    window: Window
    error: CrmError


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """The raw asset's result: its files are on the disk, and the ledger knows them. ``skipped`` windows wait for their store; the
    file of those that are ``lying`` there was fetched by another run of the backfill.
    """

    report: Report
    downloads: tuple[Download, ...]
    failed: tuple[Failed, ...]
    skipped: tuple[Failed, ...] = ()
    lying: tuple[tuple[Store, Window], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenFile:
    """A landed file that was proven: all its rows as text, with ``business_day``, and the table they come from."""

    file: LandedFile
    rows: "pd.DataFrame"
    table: TextTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The staging asset's result, for the IO manager to write."""

    report: Report
    files: tuple[ProvenFile, ...]
    refused: tuple[tuple[LandedFile, CrmError], ...]
    accept_shrink: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedExport:
    """The typed rows of one staged export."""

    export: StagedExport
    typed: TypedRows
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The fact asset's result, for the IO manager to write."""

    report: Report
    exports: tuple[TypedExport, ...]


def failure_of(failed: Sequence[Failed]) -> "dg.Failure":
    """Every reason in one run failure, with its evidence; the first line is the first error's own sentence, and below
    those of one class stands what is to be done about them.
    """
    import dagster as dg

    return dg.Failure(
        description="\n".join(line for some in _by_code(failed).values() for line in _told(some)),
        metadata={
            "failed windows": ", ".join(f"{one.store} {one.window}: {one.error.code}" for one in failed),
            **evidence_of(failed),
        },
        allow_retries=False,
    )


def _by_code(failed: Sequence[Failed]) -> dict[str, list[Failed]]:
    by_code: dict[str, list[Failed]] = {}
    for one in failed:
        by_code.setdefault(one.error.code, []).append(one)
    return by_code


def _told(failed: Sequence[Failed]) -> list[str]:
    """The sentences of one class of error, its next step once, and the command of each store whose sentence lacks it."""
    sentences = list(dict.fromkeys(map(sentence_of, failed)))
    steps = [line for one in failed for line in advice(one.error.code, str(one.error), one.store)]
    return [*sentences, *dict.fromkeys(steps)]


def sentence_of(one: Failed) -> str:
    """The error's own sentence, with its store."""
    return str(one.error) if one.store in str(one.error) else f"{one.store}: {one.error}"


def evidence_of(failed: Sequence[Failed]) -> "dict[str, dg.MetadataValue[Any]]":
    """Where each distinct failure's evidence lies, and its picture, as a person sees them on the run's page."""
    import dagster as dg

    told: dict[str, dg.MetadataValue[Any]] = {}
    for one in failed:
        folder = one.error.evidence
        if folder is not None and f"evidence of {one.store}" not in told:
            told[f"evidence of {one.store}"] = dg.MetadataValue.path(str(folder))
            kept = Evidence(folder=folder, picture=folder / "page.jpg", seen_today=one.error.seen_today)
            if picture := picture_markdown(kept, f"{one.store}: {one.error.code}"):
                told[f"picture of {one.store}"] = dg.MetadataValue.md(picture)
            told[f"seen today by {one.store}"] = dg.MetadataValue.int(one.error.seen_today)
    return told
