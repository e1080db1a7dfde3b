"""Landing: canonical names, whole files, fingerprints, and removal."""

from datetime import date
from pathlib import Path

import pytest

from crm_assets import landing
from crm_assets.model import Report, Store, Window
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets_tests.fixtures.sandbox import days

KIRTI = Store(crm="td", code="a817", name="Kirti Nagar", first_day=date(2025, 11, 1))
SECTOR = Store(crm="uc", code="sector56", name="Sector 56, Gurugram", first_day=date(2025, 11, 1))


@pytest.mark.parametrize(
    ("report", "store", "window", "name"),
    [
        (ORDER_REPORT, KIRTI, days("2025-11-12"), "TD_OrderReport_KirtiNagar_2025-11-12_to_2025-11-12.xlsx"),
        (GST_REPORT, SECTOR, days("2025-11-01", "2026-01-29"), "UC_GST_Sector56Gurugram_2025-11-01_to_2026-01-29.xlsx"),
    ],
)
def test_a_raw_file_is_named_by_report_store_and_window(
    report: Report, store: Store, window: Window, name: str
) -> None:
    assert landing.canonical_name(report, store, window) == name


def test_a_file_lands_in_a_folder_that_is_made_for_it_and_a_newer_one_replaces_it(tmp_path: Path) -> None:
    scratch, folder = tmp_path / "scratch.xlsx", tmp_path / "var" / "downloads"
    for content in (b"older", b"newer"):
        scratch.write_bytes(content)
        landed = landing.land(scratch, folder, ORDER_REPORT, KIRTI, days("2025-11-12"))
        assert landed.read_bytes() == content
    assert [path.name for path in folder.iterdir()] == [landed.name]
    assert landed.stat().st_mode & 0o777 == 0o640


def test_the_md5_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"The quick brown fox jumps over the lazy dog")
    assert landing.md5(file) == "9e107d9d372bb6826bd81d3542a419d6"


def test_a_file_can_be_discarded_twice(tmp_path: Path) -> None:
    file = tmp_path / "a.xlsx"
    file.touch()
    landing.discard(file)
    landing.discard(file)
    assert not file.exists()
