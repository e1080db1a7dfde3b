"""Evidence of a failure: a picture, the scrubbed HTML and the last steps, one set per distinct error, store and day.

What is taken out of page and text is decided in ``scrub.py``; when evidence is kept, by whoever meets the error.
"""

import asyncio
import base64
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crm_assets.browser.scrub import FrameFound, StillPage, address, frames_html, held_still, scrub_text
from crm_assets.files import write_whole
from crm_assets.logs import say
from crm_assets.model import IST, Clock, Store, business_day

if TYPE_CHECKING:
    from playwright.async_api import Page

STEPS_SHOWN = 40
SCRUB_SECONDS = 2.5
PICTURE_SECONDS = 2.5
LOOK_SECONDS = 5  # six in all, with letting go of the page and writing
JPEG_QUALITY = 30  # still easy to read, and a full page of text stays below 100 kB
LARGEST_SHOWN_PICTURE = 150_000
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
DATE_OR_NUMBER = re.compile(rf"\b{MONTH}\b(?=\W*\d)|(?<=\d)(\W*)\b{MONTH}\b|\d+(?:[-/.:,]\d+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that was being done, and when it began."""

    at: datetime
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One kept set. ``seen_today`` is 1 for the first; a repeat names the first one's folder."""

    folder: Path
    picture: Path | None
    seen_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceShelf:
    """Where a run's evidence stands: ``<folder>/<day>/<run_id>/<crm>_<store>_<code>/``."""

    folder: Path
    run_id: str
    clock: Clock

    async def keep(
        self,
        page: "Page",
        store: Store,
        *,
        code: str,
        message: str,
        steps: Sequence[Step],
        notes: Sequence[str] = (),
        secrets: Sequence[str] = (),
    ) -> Evidence | None:
        """Keep what the page shows, or count it when this error was kept today; None when nothing can be written.

        Never raises, and takes 6 seconds at most: evidence must not hide the error. It scrubs the live page, so open the page
        anew before working on with it.
        """
        told = _Told(code=code, message=message, steps=steps, notes=notes, secrets=secrets)
        try:
            return await self._keep(page, store, told)
        except OSError as error:
            say(store, "no evidence", f"{type(error).__name__}: {error.strerror}")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the error it is about matters more
            say(store, "no evidence", type(error).__name__)
        return None

    def trace_path(self, store: Store) -> Path:
        """Where the trace of a store belongs; its folder is there, and the owner's alone."""
        return _made(self._day() / _file_name(self.run_id)) / f"{_name(store)}_trace.zip"

    async def _keep(self, page: "Page", store: Store, told: "_Told") -> Evidence:
        now, day = self.clock().astimezone(IST), self._day()
        index = _Index.of(day / f"{_name(store)}.json")
        signature = _signature(page.url, store, told)
        kept = index.folder_of(signature)
        if kept is None:
            look = await _look(page, told.secrets)
            files = {
                "steps.txt": _steps_text(page, store, told, self.run_id, now, look.left_out).encode(errors="replace")
            }
            if look.frames:
                files["page.html"] = await asyncio.to_thread(_html, look.frames, told.secrets)
            if look.picture:
                files["page.jpg"] = look.picture
            place = _made(day / _file_name(self.run_id))
            kept = _write_set(place / _file_name(f"{_name(store)}_{told.code}"), files)
        picture = kept / "page.jpg"
        return Evidence(
            folder=kept, picture=picture if picture.exists() else None, seen_today=index.count(signature, kept)
        )

    def _day(self) -> Path:
        return self.folder / business_day(self.clock).isoformat()


def picture_markdown(evidence: Evidence, title: str) -> str:
    """The picture as Markdown that holds it; empty when there is none, or one too large to be shown."""
    try:
        picture = evidence.picture.read_bytes() if evidence.picture else b""
    except OSError:
        picture = b""
    if not 0 < len(picture) <= LARGEST_SHOWN_PICTURE:
        return ""
    words = re.sub(r"[\[\]\\\s]+", " ", title)
    return f"![{words}](data:image/jpeg;base64,{base64.b64encode(picture).decode()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the caller says about the error."""

    code: str
    message: str
    steps: Sequence[Step]
    notes: Sequence[str]
    secrets: Sequence[str]


@dataclass(slots=True, kw_only=True)
class _Look:
    """What the browser still gave, and why not more."""

    frames: Sequence[FrameFound] = ()
    picture: bytes | None = None
    left_out: list[str] = field(default_factory=list)


async def _look(page: "Page", secrets: Sequence[str]) -> _Look:
    """Scrub, take the HTML, then the picture; a browser that does not answer costs its time and nothing else."""
    from playwright.async_api import Error

    look = _Look()
    try:
        async with asyncio.timeout(LOOK_SECONDS), AsyncExitStack() as stack:
            async with asyncio.timeout(SCRUB_SECONDS):
                still = await stack.enter_async_context(held_still(page, secrets))
                look.frames, is_scrubbed = await still.scrub(with_html=True)
            if is_scrubbed:
                look.picture = await _picture(page, still)
    except TimeoutError:
        look.left_out.append("the browser did not answer in time")
    except Error:
        look.left_out.append("the page was closed" if page.is_closed() else "the browser did not answer")
    if not look.picture:
        look.left_out.append("no picture")
    return look


async def _picture(page: "Page", still: StillPage) -> bytes | None:
    """A picture of a scrubbed page; None when the page changed under it, and once more."""
    for _ in range(2):
        picture = await page.screenshot(
            type="jpeg", quality=JPEG_QUALITY, animations="disabled", caret="hide", timeout=PICTURE_SECONDS * 1000
        )
        frames, is_complete = await still.scrub()
        if is_complete and not any(frame.masked for frame in frames):
            return picture
    return None


def _html(frames: Sequence[FrameFound], secrets: Sequence[str]) -> bytes:
    return frames_html(frames, secrets).encode(errors="replace")


def _steps_text(page: "Page", store: Store, told: _Told, run_id: str, now: datetime, left_out: Sequence[str]) -> str:
    """What was wrong and what had been done, for a person; the last line is the failure itself."""
    browser = page.context.browser
    facts = [
        ("store", f"{store} ({store.name})"),
        ("error", told.code),
        ("message", told.message),
        ("when", f"{now:%Y-%m-%d %H:%M:%S} IST"),
        ("run", run_id),
        ("page", address(page.url, told.secrets)),
        ("browser", f"{browser.browser_type.name} {browser.version}" if browser else "unknown"),
        *(("note", note) for note in told.notes),
        *(("left out", what) for what in left_out),
    ]
    lines = [f"{name + ':':<10}{' '.join(fact.split())}" for name, fact in facts]
    lines += ["", *_step_lines([*told.steps[-STEPS_SHOWN:], Step(at=now, name=f"failed: {told.code}")])]
    return "".join(f"{scrub_text(line, told.secrets)}\n" for line in lines)


def _step_lines(steps: Sequence[Step]) -> list[str]:
    """Each with its time in Kolkata and the seconds since the one before it."""
    before = [steps[0], *steps]
    return [
        f"{step.at.astimezone(IST):%H:%M:%S}.{step.at.microsecond // 1000:03d}"
        f"  {(step.at - last.at).total_seconds():+.1f} s  {' '.join(step.name.split())}"
        for last, step in zip(before, steps, strict=False)
    ]


def _signature(url: str, store: Store, told: _Told) -> str:
    """What makes an error another one: its code, what was being done, and on which page."""
    step = scrub_text(told.steps[-1].name, told.secrets) if told.steps else "-"
    path = re.sub(re.escape(store.code), "#", urlsplit(address(url, told.secrets)).path or "-", flags=re.IGNORECASE)
    return " | ".join([told.code, DATE_OR_NUMBER.sub("#", step), re.sub(r"\d+", "#", path)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """Which errors of a store were kept on a day, and how often each was met. One writer: whoever holds the account."""

    file: Path
    entries: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, file: Path) -> "_Index":
        """The index of a file; an empty one when there is none, or none that can be read."""
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            entries = {}
        return cls(file=file, entries=entries if _is_index(entries) else {})

    def folder_of(self, signature: str) -> Path | None:
        """The folder of an error's first set, when it is still there."""
        entry = self.entries.get(signature)
        folder = self.file.parent / entry["folder"] if entry else None
        return folder if folder and folder.is_dir() else None

    def count(self, signature: str, folder: Path) -> int:
        """Note that the error was met once more; returns how often that was, this time included."""
        seen = self.entries.get(signature, {"count": 0})["count"] + 1
        self.entries[signature] = {"folder": str(folder.relative_to(self.file.parent)), "count": seen}
        write_whole(self.file, json.dumps(self.entries, indent=1).encode(), mode=0o600)
        return int(seen)


def _is_index(entries: Any) -> bool:
    return isinstance(entries, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("folder"), str) and isinstance(entry.get("count"), int)
        for entry in entries.values()
    )


def _write_set(folder: Path, files: dict[str, bytes]) -> Path:
    """All files in a new folder, or no folder. Another error of the same code in the same run gets a number."""
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, content in files.items():
            write_whole(beside / name, content, mode=0o600)
        names = [folder, *(folder.with_name(f"{folder.name}_{number}") for number in range(2, 1000))]
        return beside.rename(next(name for name in names if not name.exists()))
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _made(folder: Path) -> Path:
    """The folder, with every folder above it that was missing, for the owner alone."""
    for each in [*reversed(folder.parents), folder]:
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)
    return folder


def _name(store: Store) -> str:
    return _file_name(f"{store.crm}_{store.code}")


def _file_name(text: str) -> str:
    """The text as one harmless file name."""
    return re.sub(r"[^\w.-]", "_", text).lstrip(".") or "_"
