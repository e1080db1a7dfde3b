"""Retention: what has been kept long enough goes, and so does what killed runs left lying.

Whether a file outlives its ingestion at all is decided when it is downloaded; ``books.let_go`` deletes the others at once. Which
rows of Dagster's log may go is ``warehouse/dagster_log.py``'s business.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path

from crm_assets import landing
from crm_assets.account import EVIDENCE_FOLDER, SCRATCH_PREFIX
from crm_assets.logs import say
from crm_assets.model import IST
from crm_assets.pipeline.given import BY_HAND
from crm_assets.pipeline.reports import sources
from crm_assets.settings import Settings
from crm_assets.warehouse import dagster_log, kept, ledger
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.kept import LOADED, NOT_LOADED, KnownFile

STRAY_AGE = timedelta(days=7)  # longer than anyone who looks into a killed run takes
SCRATCH_AGE = timedelta(days=1)  # a scratch folder in use gets a file with every export, and those take minutes
REFUSED = re.compile(r"\d{8}-\d{6}_.+")
A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
SWEEP = "tidy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """How much of each kind was deleted."""

    kept_files: int
    stray_files: int
    refused_files: int
    evidence_folders: int
    scratch_folders: int
    log_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sweep:
    """What every part of one sweep has in common."""

    settings: Settings
    conn: Connection
    now: datetime

    @property
    def downloads(self) -> Path:
        return self.settings.downloads_dir

    def since(self, days: float) -> datetime | None:
        """The moment that so many days are counted from; None when they never end."""
        try:
            return self.now - timedelta(days=days)
        except OverflowError:
            return None


def tidy(settings: Settings, conn: Connection, now: datetime) -> Tidied:
    """Delete what the settings no longer keep; what cannot be deleted is told and left for the next time.

    With ``CRM_KEEP_FILES`` at 0, only single runs with ``--keep-files`` keep their files, and those for ever. Files that a person
    put there, or changed, are never touched.
    """
    sweep = _Sweep(settings=settings, conn=conn, now=now)
    return Tidied(
        kept_files=_kept_files(sweep),
        stray_files=_strays(sweep),
        refused_files=_refused_files(sweep),
        evidence_folders=_evidence(sweep),
        scratch_folders=_scratch_folders(sweep),
        log_rows=_log_rows(sweep),
    )


def _kept_files(sweep: _Sweep) -> int:
    """Loaded files whose days are over."""
    days = sweep.settings.env.keep_files
    before = sweep.since(days) if days else None
    if before is None:
        return 0
    return _let_go(
        sweep,
        kept.known_files(sweep.conn, statuses=LOADED, keep_file=True, before=before, but_strategy=BY_HAND),
    )


def _strays(sweep: _Sweep) -> int:
    """What runs left that were killed between two steps: a loaded file, one that was not booked yet, half a file."""
    loaded = kept.known_files(sweep.conn, statuses=LOADED, keep_file=False, before=sweep.now, but_strategy=BY_HAND)
    return _let_go(sweep, loaded) + _unknown_files(sweep)


def _unknown_files(sweep: _Sweep) -> int:
    names = kept.known_names(sweep.conn)
    canonical = _canonical_names(sweep.settings)
    half_written = re.compile(rf"\.(\d{{8}}-\d{{6}}_)?{canonical}\.\w{{8}}")
    strays = [
        file
        for file in _old_files(sweep.downloads, sweep.now - STRAY_AGE)
        if (re.fullmatch(canonical, file.name) and file.name not in names) or half_written.fullmatch(file.name)
    ]
    strays += [file for file in _old_files(_refused(sweep), sweep.now - STRAY_AGE) if half_written.fullmatch(file.name)]
    return sum(_removed(file) for file in strays)


def _canonical_names(settings: Settings) -> str:
    """The pattern of the names that ``landing`` gives, whatever the store was called then."""
    prefixes = "|".join({re.escape(source.report.file_prefix) for source in sources(settings)})
    return rf"(?:{prefixes})_[A-Za-z0-9]+_{A_DAY.pattern}_to_{A_DAY.pattern}\.xlsx"


def _refused_files(sweep: _Sweep) -> int:
    """Files that were refused, or landed and were never loaded, once whoever looks at them has had the time."""
    before = sweep.since(sweep.settings.env.keep_refused_days)
    if before is None:
        return 0
    set_aside = [file for file in _old_files(_refused(sweep), before) if REFUSED.fullmatch(file.name)]
    deleted = [file for file in set_aside if _removed(file)]
    for file in deleted:
        kept.mark_file_deleted(sweep.conn, file, sweep.now)
    never_loaded = kept.known_files(sweep.conn, statuses=NOT_LOADED, before=before, but_strategy=BY_HAND)
    return len(deleted) + _let_go(sweep, never_loaded)


def _refused(sweep: _Sweep) -> Path:
    return sweep.downloads / landing.REFUSED_FOLDER


def _let_go(sweep: _Sweep, files: Iterable[KnownFile]) -> int:
    """Delete these raw files and say so in the ledger; returns how many went. A store whose account is in use waits."""
    deleted = 0
    here = (one for one in files if _lies_in(sweep.downloads, one.file))
    for (crm, store), of_store in groupby(here, key=lambda one: (one.crm, one.store)):
        with kept.undisturbed(sweep.conn, crm, store) as at_rest:
            if at_rest:
                deleted += sum(_let_one_go(sweep, one) for one in of_store)
    return deleted


def _let_one_go(sweep: _Sweep, one: KnownFile) -> bool:
    """Whether the file was deleted. A content other than the ledger's is a person's, and stays."""
    is_there = one.file.exists() and not one.replaced
    if is_there and not (_is_ours(one) and _removed(one.file, f"{one.crm}/{one.store}")):
        return False
    ledger.mark_deleted(sweep.conn, one.ledger_id, sweep.now)
    return is_there


def _is_ours(one: KnownFile) -> bool:
    try:
        return landing.md5(one.file) == one.md5
    except OSError as error:
        say(f"{one.crm}/{one.store}", "not deleted", f"{one.file.name}: {error.strerror}")
        return False


def _lies_in(folder: Path, file: Path) -> bool:
    """Whether it is in this very folder, which must be there: on a disk that is away nothing can be said to be gone."""
    return folder.is_dir() and file.resolve().parent == folder.resolve()


def _evidence(sweep: _Sweep) -> int:
    """Whole days of evidence; the day of a failure that its store has not got over yet stays."""
    before = sweep.since(sweep.settings.env.keep_evidence_days)
    root = sweep.settings.local_dir / EVIDENCE_FOLDER
    if before is None or not root.is_dir():
        return 0
    needed = {parent for path in kept.unhealed_evidence(sweep.conn) for parent in path.resolve().parents}
    deleted = 0
    for day in sorted(root.iterdir()):
        if day.resolve() not in needed and _is_over(day, before):
            kept.forget_evidence(sweep.conn, day)
            deleted += _removed(day)
    return deleted


def _is_over(folder: Path, before: datetime) -> bool:
    """Whether a folder of a day's name is of one that had ended by then."""
    try:
        day = date.fromisoformat(folder.name) if A_DAY.fullmatch(folder.name) else None
    except ValueError:
        return False
    return day is not None and datetime.combine(day, time(), IST) + timedelta(days=1) <= before


def _scratch_folders(sweep: _Sweep) -> int:
    """The temporary folders of this user's visits that were killed."""
    folders = _old(Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"), sweep.now - SCRATCH_AGE)
    return sum(_removed(each) for each in folders if each.is_dir() and each.lstat().st_uid == os.getuid())


def _log_rows(sweep: _Sweep) -> int:
    before = sweep.since(sweep.settings.env.keep_log_days)
    return dagster_log.prune(sweep.conn, before) if before else 0


def _old_files(folder: Path, before: datetime) -> list[Path]:
    return [path for path in _old(folder.glob("*"), before) if path.is_file()]


def _old(paths: Iterable[Path], before: datetime) -> Iterator[Path]:
    """Those that nobody has written to since; never a link."""
    for path in sorted(paths):
        try:
            found = path.lstat()
        except FileNotFoundError:
            continue
        if datetime.fromtimestamp(found.st_mtime, UTC) < before and not path.is_symlink():
            yield path


def _removed(path: Path, whose: str = SWEEP) -> bool:
    """Delete a file or a folder with all it holds; whether that could be done."""
    try:
        shutil.rmtree(path) if path.is_dir() else landing.discard(path)
    except OSError as error:
        say(whose, "not deleted", f"{path}: {error.strerror}")
        return False
    say(whose, "deleted", path.name)
    return True
