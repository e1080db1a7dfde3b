"""What is kept how long, and what is never touched: real files, a real ledger, a real Dagster instance.

``tidy`` looks into the machine's temporary folder: every test has one of its own.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from crm_assets import landing
from crm_assets.account import EVIDENCE_FOLDER
from crm_assets.cli.options import INSTALLATION, exit_code_of
from crm_assets.errors import BadReport, ExportTimedOut, PersonAwaited, error_class
from crm_assets.model import IST, system_clock
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.given import BY_HAND
from crm_assets.pipeline.instance import keep_connected
from crm_assets.pipeline.retention import Tidied, tidy
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse import ledger
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.outcomes import outcome_of_run
from crm_assets_tests.fixtures.dagster import Pipeline, busy_days, chain, failure_text, keys
from crm_assets_tests.fixtures.sandbox import REPORTS
from crm_assets_tests.pipeline.desk import Desk, window
from crm_assets_tests.warehouse.samples import a_download, held

NOW = system_clock()
NOTHING = Tidied(kept_files=0, stray_files=0, refused_files=0, evidence_folders=0, scratch_folders=0, log_rows=0)
TIMEOUT = "the portal did not finish"


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of a test."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """An installation with a warehouse in which files come to lie."""

    desk: Desk
    conn: Connection

    def settings(self, **environ: str) -> Settings:
        return load_settings({"CRM_HOME": str(self.desk.folder), "CRM_DATABASE_URL": self.desk.url} | environ)

    def tidy(self, **environ: str) -> Tidied:
        return tidy(self.settings(**environ), self.conn, NOW)

    @property
    def downloads(self) -> Path:
        return self.settings().downloads_dir

    @property
    def files(self) -> list[str]:
        """The names of all that lies in the downloads, with its folder."""
        found = (path for path in self.downloads.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.downloads)) for path in found)

    def file(self, name: str, *, days: float, content: bytes = b"rows") -> Path:
        """A file of that name, written so many days ago."""
        file = self.downloads / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return aged(file, days)

    def attempt(self, day: int = 12, *, days: float, keep_file: bool = False) -> int:
        described: dict[str, Any] = {"store": self.desk.store, "report": self.desk.report, "window": window(day)}
        return ledger.open_attempt(self.conn, run_id="a run", keep_file=keep_file, now=ago(days), **described)

    def landed(self, day: int = 12, *, days: float, keep_file: bool = False, **changes: Any) -> int:
        """A file that landed under its canonical name so many days ago; returns its ledger id."""
        scratch = self.desk.folder / "scratch"
        scratch.write_bytes(b"rows")
        file = landing.land(scratch, self.downloads, self.desk.report, self.desk.store, window(day))
        download = replace(a_download(window(day)), **{"file": aged(file, days), "md5": landing.md5(file)} | changes)
        ledger_id = self.attempt(day, days=days, keep_file=keep_file)
        ledger.record_download(self.conn, ledger_id, download, ago(days))
        return ledger_id

    def loaded(self, day: int = 12, *, days: float, keep_file: bool = False, **changes: Any) -> int:
        ledger_id = self.landed(day, days=days, keep_file=keep_file, **changes)
        ledger.record_staged(self.conn, ledger_id, content_md5="a" * 32, row_count=1)
        ledger.record_ingested(self.conn, ledger_id, ago(days))
        return ledger_id

    def of(self, ledger_id: int, column: str) -> Any:
        [found] = self.desk.rows(
            "SELECT to_jsonb(ledger) FROM download_ledger AS ledger WHERE ledger_id = %s", ledger_id
        )
        return found[0][column]


@pytest.fixture
def house(desk: Desk) -> Iterator[House]:
    with desk.connected() as conn:
        yield House(desk=desk, conn=conn)


def aged(path: Path, days: float) -> Path:
    os.utime(path, (ago(days).timestamp(),) * 2)
    return path


def canonical(day: int) -> str:
    return f"TD_OrderReport_UttamNagar_2025-11-{day}_to_2025-11-{day}.xlsx"


# Raw files.


def test_a_kept_file_goes_when_its_days_are_over(house: House) -> None:
    old, young = house.loaded(11, days=31, keep_file=True), house.loaded(12, days=29, keep_file=True)
    assert house.tidy(CRM_KEEP_FILES="30") == replace(NOTHING, kept_files=1)
    assert house.files == [canonical(12)]
    assert datetime.fromisoformat(house.of(old, "deleted_at")) == NOW
    assert house.of(young, "deleted_at") is None
    assert house.tidy(CRM_KEEP_FILES="30") == NOTHING


@pytest.mark.parametrize("keep_files", ["true", "false", "1e12"])
def test_a_file_that_is_kept_for_ever_or_by_one_runs_wish_stays(house: House, keep_files: str) -> None:
    house.loaded(days=4000, keep_file=True)
    assert house.tidy(CRM_KEEP_FILES=keep_files) == NOTHING
    assert house.files == [canonical(12)]


def test_what_a_person_put_in_the_place_of_a_kept_file_stays(house: House) -> None:
    ledger_id = house.loaded(days=31, keep_file=True)
    house.file(canonical(12), days=20, content=b"corrected")
    assert house.tidy(CRM_KEEP_FILES="30") == NOTHING
    assert house.files == [canonical(12)]
    assert house.of(ledger_id, "deleted_at") is None


def test_a_later_export_of_the_same_bytes_is_not_taken_for_the_older_one(house: House) -> None:
    older, later = house.loaded(days=31, keep_file=True), house.loaded(days=29, keep_file=True)
    assert house.tidy(CRM_KEEP_FILES="30") == NOTHING
    assert house.files == [canonical(12)]
    assert (house.of(older, "deleted_at") is None, house.of(later, "deleted_at") is None) == (False, True)


def test_a_file_elsewhere_and_one_that_a_person_exported_stay(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / canonical(11)
    elsewhere.write_bytes(b"rows")
    house.loaded(11, days=31, keep_file=True, file=elsewhere)
    (house.downloads / canonical(11)).unlink()
    house.loaded(12, days=31, keep_file=True, strategy=BY_HAND)
    assert house.tidy(CRM_KEEP_FILES="30") == NOTHING
    assert elsewhere.exists()
    assert house.files == [canonical(12)]


def test_a_store_whose_account_is_in_use_waits(house: House) -> None:
    house.loaded(days=31, keep_file=True)
    with held(house.desk.url, house.desk.store):
        assert house.tidy(CRM_KEEP_FILES="30") == NOTHING
    assert house.tidy(CRM_KEEP_FILES="30") == replace(NOTHING, kept_files=1)


def test_on_a_disk_that_is_away_nothing_is_called_gone_and_what_is_gone_is_called_so(house: House) -> None:
    ledger_id = house.loaded(days=31, keep_file=True)
    (house.downloads / canonical(12)).unlink()
    away = house.downloads.rename(house.downloads.with_name("away"))
    house.tidy(CRM_KEEP_FILES="30")
    assert house.of(ledger_id, "deleted_at") is None
    away.rename(house.downloads)
    assert house.tidy(CRM_KEEP_FILES="30") == NOTHING
    assert house.of(ledger_id, "deleted_at") is not None


def test_what_cannot_be_read_or_deleted_is_told_and_hinders_nothing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.loaded(11, days=31, keep_file=True)
    house.loaded(12, days=31, keep_file=True)
    (house.downloads / canonical(11)).unlink()
    (house.downloads / canonical(11)).mkdir()
    caplog.set_level("INFO", logger="crm_assets")
    assert house.tidy(CRM_KEEP_FILES="30") == replace(NOTHING, kept_files=1)
    assert f"[td/a668] [not deleted] [{canonical(11)}: Is a directory]" in caplog.messages
    assert f"[td/a668] [deleted] [{canonical(12)}]" in caplog.messages


# Strays.


def test_a_loaded_file_that_its_killed_run_left_goes_at_once(house: House) -> None:
    ledger_id = house.loaded(days=0.01)
    house.landed(13, days=0.01)
    assert house.tidy() == replace(NOTHING, stray_files=1)
    assert house.files == [canonical(13)]
    assert house.of(ledger_id, "deleted_at") is not None


def test_unknown_files_of_our_names_go_after_a_week_and_no_other_ever(house: House) -> None:
    theirs = (
        "notes.txt",
        f"copy of {canonical(10)}",
        f".{canonical(10)}.swp",
        "TD_OrderReport_UttamNagar_6_2025-11-10_to_2025-11-10.xlsx",
        "refused/why.txt",
    )
    for name in theirs:
        house.file(name, days=4000)
    ours = (canonical(10), f".{canonical(11)}.k2_x9abc", f"refused/.20251112-101500_{canonical(11)}.k2_x9abc")
    for name in ours:
        house.file(name, days=7.1)
    young = tuple(name.replace("11", "14") for name in ours)
    for name in young:
        house.file(name, days=6.9)
    (house.downloads / canonical(15)).symlink_to("notes.txt")
    assert house.tidy(CRM_KEEP_REFUSED_DAYS="true") == replace(NOTHING, stray_files=3)
    assert house.files == sorted([*theirs, *young, canonical(15)])


# Refused files.


def test_a_refused_file_goes_when_its_days_are_over(house: House) -> None:
    ids = {}
    for day, days in ((11, 91), (12, 89)):
        ids[day] = house.landed(day, days=days)
        file = house.downloads / canonical(day)
        kept = aged(landing.set_aside(file, house.downloads, file.name, ago(days)), days)
        ledger.record_failure(house.conn, ids[day], status="failed", error=BadReport("a doubled key"), now=ago(days))
        ledger.move_file(house.conn, ids[day], kept)
        landing.discard(file)
    assert house.tidy(CRM_KEEP_REFUSED_DAYS="true") == NOTHING
    assert house.tidy() == replace(NOTHING, refused_files=1)
    assert [name.endswith(canonical(12)) for name in house.files] == [True]
    assert house.of(ids[11], "deleted_at") is not None
    assert house.of(ids[12], "deleted_at") is None


def test_a_landed_file_that_was_never_loaded_waits_as_long_as_a_refused_one(house: House) -> None:
    ids = [house.landed(11, days=91), house.landed(12, days=89)]
    assert house.tidy() == replace(NOTHING, refused_files=1)
    assert house.files == [canonical(12)]
    assert [house.of(ledger_id, "deleted_at") is None for ledger_id in ids] == [False, True]


# Evidence.


def failure(house: House, days: int, *, code: str = "ExportTimedOut") -> tuple[int, Path]:
    """A failure of so many days ago with its evidence."""
    folder = house.settings().local_dir / EVIDENCE_FOLDER / f"{ago(days).astimezone(IST):%Y-%m-%d}" / "a_run" / code
    folder.mkdir(parents=True)
    (folder / "steps.txt").write_text("failed", encoding="utf-8")
    error = ExportTimedOut(TIMEOUT)
    error.evidence = folder
    ledger_id = house.attempt(days=days)
    ledger.record_failure(house.conn, ledger_id, status="failed", error=error, now=ago(days))
    return ledger_id, folder


def test_evidence_goes_by_whole_days_and_nobody_is_led_to_what_is_gone(house: House) -> None:
    (old, old_folder), (young, young_folder) = failure(house, 40), failure(house, 20)
    theirs = house.settings().local_dir / EVIDENCE_FOLDER / "for the portal"
    theirs.mkdir()
    aged(theirs, 4000)
    assert house.tidy(CRM_KEEP_EVIDENCE_DAYS="true") == NOTHING
    assert house.tidy() == replace(NOTHING, evidence_folders=1)
    assert (old_folder.parents[1].exists(), young_folder.exists(), theirs.exists()) == (False, True, True)
    assert house.of(old, "evidence") is None
    assert house.of(young, "evidence") == str(young_folder)


def test_evidence_of_a_failure_stays_until_the_store_got_a_file_again(house: House) -> None:
    ledger_id, folder = failure(house, 40)
    waits = house.attempt(days=1)
    error = PersonAwaited("waits for a person")
    ledger.record_failure(house.conn, waits, status="skipped", error=error, now=ago(1))
    assert house.tidy() == NOTHING
    assert house.of(ledger_id, "evidence") == str(folder)
    house.landed(days=0.5)
    assert house.tidy() == replace(NOTHING, evidence_folders=1)
    assert house.of(ledger_id, "evidence") is None


# Scratch folders.


def test_scratch_folders_of_killed_visits_go_after_a_day(house: House, temporary: Path) -> None:
    stays = {
        f"crm_assets-{os.getuid()}": 4000.0,  # where the embedded database has its socket
        "crm_assets_atwork": 0.9,
        "another_program": 4000.0,
    }
    for name, days in (stays | {"crm_assets_killed": 1.1}).items():
        (temporary / name).mkdir()
        (temporary / name / "export.xlsx").write_bytes(b"rows")
        aged(temporary / name, days)
    (temporary / "crm_assets_link").symlink_to(temporary / "another_program")
    assert house.tidy() == replace(NOTHING, scratch_folders=1)
    assert {path.name for path in temporary.iterdir()} == {*stays, "crm_assets_link"}


# Dagster's log.


def dagster_knows(pipeline: Pipeline) -> dict[str, Any]:
    """All that Dagster shows of assets, checks and runs, as read from its tables and no cache."""
    instance = pipeline.instance
    asked: dict[str, Any] = {}
    graph = compose(pipeline.settings).resolve_asset_graph()
    for name in (*chain(REPORTS["td"])[1:], REPORTS["uc"].staging_table):
        key, partitions = dg.AssetKey(name), graph.get(dg.AssetKey(name)).partitions_def
        assert partitions
        instance.wipe_asset_cached_status([key])
        every = partitions.get_partition_keys()
        asked[f"{name}: partitions"] = instance.get_materialized_partitions(key)
        asked[f"{name}: states"] = instance.get_status_by_partition(key, every, partitions)
        asked[f"{name}: newest"] = instance.get_latest_materialization_event(key)
    checks, storage = list(graph.asset_check_keys), instance.event_log_storage
    asked["checks"] = storage.get_latest_asset_check_execution_by_key(checks)
    asked["checks of partitions"] = sorted(storage.get_asset_check_partition_info(checks), key=str)
    asked["check summaries"] = storage.get_asset_check_summary_records(checks)
    asked["runs"] = [(one.dagster_run, one.start_time, one.end_time) for one in instance.get_run_records()]
    stats = [instance.get_run_stats(run.run_id) for run in instance.get_runs()]
    asked["times"] = [(one.enqueued_time, one.launch_time, one.start_time, one.end_time) for one in stats]
    asked["last words"] = [
        instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
        for run in instance.get_runs()
    ]
    return asked


def test_months_later_the_log_is_shorter_and_dagster_knows_what_it_knew(module_pipeline: Pipeline) -> None:
    pipeline, report = module_pipeline, REPORTS["td"]
    keep_connected(pipeline.instance)
    days = busy_days(pipeline.sandbox, "td/a668", count=3)
    for _ in range(2):
        pipeline.land("td/a668", days)
        assert pipeline.fetch("td/a668", days, report.staging_table, report.fact_table).success
    failed = pipeline.fetch("uc/sector56", days, REPORTS["uc"].staging_table)
    assert not failed.success
    before, rows = dagster_knows(pipeline), log_rows(pipeline)

    with connect(pipeline.url) as conn:
        assert tidy(pipeline.settings, conn, NOW + timedelta(days=29)).log_rows == 0
        tidied = tidy(pipeline.settings, conn, NOW + timedelta(days=60))
    assert tidied == replace(NOTHING, log_rows=rows - log_rows(pipeline))
    assert tidied.log_rows > rows / 2
    assert dagster_knows(pipeline) == before
    assert before[f"{report.fact_table}: partitions"] == keys("a668", days)
    states = before[f"{REPORTS['uc'].staging_table}: states"]
    assert {str(key) for key, state in states.items() if state and state.value == "FAILED"} == keys("sector56", days)
    assert before["checks"]


def log_rows(pipeline: Pipeline) -> int:
    [rows] = pipeline.rows(
        "SELECT (SELECT count(*) FROM dagster.event_logs) + (SELECT count(*) FROM dagster.asset_check_executions) AS rows"
    )
    return int(rows["rows"])


# Room on the disk.


def test_without_room_nothing_is_asked_of_a_portal_and_every_window_is_in_the_ledger(
    module_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = module_pipeline
    monkeypatch.setenv("CRM_MIN_FREE_MB", str(10**12))
    days = busy_days(pipeline.sandbox, "td/a668")
    result = pipeline.fetch("td/a668", days, REPORTS["td"].raw_asset)
    assert not result.success
    assert f"expected at least {10**12} MB free on the disk of {pipeline.settings.downloads_dir}" in failure_text(
        result
    )
    assert "crm_download tidy" in failure_text(result)
    rows = pipeline.rows("SELECT status, error_code, store FROM download_ledger WHERE run_id = %s", result.run_id)
    assert rows == [{"status": "failed", "error_code": "DiskFull", "store": "a668"}]
    assert not pipeline.sandbox.log.requests
    with connect(pipeline.url) as conn:
        told = outcome_of_run(conn, result.run_id)
    assert exit_code_of(error_class(told.error_code)) == INSTALLATION
