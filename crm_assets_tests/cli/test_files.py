"""``crm_download ingest`` and ``rebuild``: files that a person exported, and what is staged already."""

import shutil
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from crm_assets.model import IST, business_day, system_clock
from crm_assets_tests.cli.workbooks import exported, sold
from crm_assets_tests.fixtures.command import CommandLine, Ran, clean_environment, finished
from crm_assets_tests.fixtures.dagster import busy_days

NOW = system_clock()
HOUR = timedelta(hours=1)


def result_of(ran: Ran, store: str) -> str:
    """The last cell of a store's line in the table."""
    (row,) = [line for line in ran.out.splitlines() if line.startswith("│") and f" {store} " in line]
    return row.strip("│").split("│")[-1].strip()


def states(command: CommandLine, store: str) -> dict[str, str | None]:
    with psycopg.connect(command.url) as conn:
        query = "SELECT order_number, order_status FROM fact_td_orders WHERE store = %s AND missing_since IS NULL"
        return dict(conn.execute(query, [store]).fetchall())


def test_names_tell_store_and_days_and_the_newest_export_wins(crm_download: CommandLine) -> None:
    """One command for five files of four stores, the newest first; then another with an older one and no workbook."""
    stores = ("td/a668", "td/a817", "uc/sector56", "uc/sushantlok1")
    days = busy_days(crm_download.sandbox, *stores)
    span = f"{days.first}_to_{days.last}.xlsx"
    rows = {store: sold(crm_download, store, days) for store in stores}
    newer, older = ([{**row, "Order Status": status} for row in rows["td/a668"]] for status in ("Newer", "Older"))
    files = [
        exported(crm_download, f"TD_OrderReport_UttamNagar_{span}", newer, crm="td", at=NOW - HOUR),
        exported(crm_download, f"td_a668_again_{span}", older, crm="td", at=NOW - 3 * HOUR),
        exported(crm_download, f"1247-{span}", rows["td/a817"], crm="td", at=NOW - HOUR),
        exported(crm_download, f"uc_gst_report_uc567_{span}", rows["uc/sector56"], crm="uc", at=NOW - HOUR),
        exported(crm_download, f"UC610 {span}", rows["uc/sushantlok1"], crm="uc", at=NOW - HOUR),
    ]
    ran = crm_download("ingest", *map(str, files), "--json")
    assert ran.code == 0, ran
    assert set(ran.objects) == set(stores)
    for store in stores:
        told = ran.objects[store]
        assert (told["from"], told["to"], told["ok"], told["files"]) == (str(days.first), str(days.last), True, 1)
        assert crm_download.loaded(store) == crm_download.sold(store, days)
    assert ran.objects["td/a668"]["updated"] == len(newer), "the newer one came second"
    assert set(states(crm_download, "a668").values()) == {"Newer"}
    assert all(file.exists() for file in files)

    page = crm_download.home / "exported" / f"TD_OrderReport_KirtiNagar_{span}"
    page.write_text("<!DOCTYPE html><html>Sign in</html>", encoding="utf-8")
    at_noon = f"{(NOW - timedelta(days=1)).astimezone(IST):%Y-%m-%dT12:00:00}"
    refused = crm_download("ingest", str(files[1]), str(page), "--exported-at", at_noon)
    assert refused.code == 1, refused
    assert result_of(refused, "td/a668") == "OlderExport"
    assert result_of(refused, "td/a817") == "NotAWorkbook"
    assert "Traceback" not in refused.said
    assert page.exists()
    assert crm_download.files == [], "nothing of it is set aside: it is a person's own file"
    assert set(states(crm_download, "a668").values()) == {"Newer"}


def test_an_empty_file_is_proven_by_what_the_portal_showed(crm_download: CommandLine) -> None:
    day = str(business_day(system_clock) - timedelta(days=1))
    file = exported(crm_download, "download.xlsx", [], crm="uc", at=NOW - HOUR)
    what = ("ingest", str(file), "--crm", "uc", "--store", "sector56", "--from", day)
    unproven = crm_download(*what)
    assert unproven.code == 1, unproven
    assert result_of(unproven, "uc/sector56") == "UnprovenEmpty"
    proven = crm_download(*what, "--rows", "0", "--json")
    assert proven.code == 0, proven
    assert (proven.objects["uc/sector56"]["to"], proven.objects["uc/sector56"]["inserted"]) == (day, 0)
    with psycopg.connect(crm_download.url) as conn:
        assert conn.execute("SELECT business_day::text, row_count FROM staging_slice").fetchall() == [(day, 0)]


def test_a_refused_download_is_loaded_by_its_name_once_a_person_says_so_and_rebuilt(crm_download: CommandLine) -> None:
    """As the message of ShrunkReport says; the name is that of a file under downloads/refused."""
    days = busy_days(crm_download.sandbox, "td/a668", count=2)
    name = f"TD_OrderReport_UttamNagar_{days.first}_to_{days.last}.xlsx"
    rows = sold(crm_download, "td/a668", days)
    full = exported(crm_download, name, rows, crm="td", at=NOW - 2 * HOUR)
    assert crm_download("ingest", str(full)).code == 0
    small = exported(crm_download, f"20261124-101010_{name}", rows[:1], crm="td", at=NOW - HOUR)
    refused = crm_download("ingest", str(small))
    assert (refused.code, result_of(refused, "td/a668")) == (1, "ShrunkReport"), refused
    assert "--accept-shrink" in refused.said
    assert len(states(crm_download, "a668")) == len(rows)
    assert crm_download("ingest", str(small), "--accept-shrink").code == 0
    assert states(crm_download, "a668").keys() == {rows[0]["Order No."]}

    with psycopg.connect(crm_download.url) as conn:
        conn.execute("DELETE FROM fact_td_orders_history")
        conn.execute("DELETE FROM fact_td_orders")
    rebuilt = crm_download("rebuild", "--from", str(days.first), "--to", "today")
    assert rebuilt.code == 0, rebuilt
    (row,) = [line for line in rebuilt.out.splitlines() if " td/a668 " in line]
    assert [cell.strip() for cell in row.strip("│").split("│")] == ["td/a668", "2", "1", "0", "0", "0", "0", "good"]
    assert states(crm_download, "a668").keys() == {rows[0]["Order No."]}


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("report_2025-11-12_to_2025-11-12.xlsx", (), "a name that tells its report and store"),
        ("td_order_report_2025-11-12_to_2025-11-12.xlsx", ("--crm", "td"), "Give --crm and --store"),
        ("TD_OrderReport_UttamNagar_today.xlsx", (), "Give --from and --to"),
        ("TD_OrderReport_UttamNagar_2025-11-13_to_2025-11-12.xlsx", (), "expected days in order, up to today"),
    ],
)
def test_a_file_that_tells_too_little_is_asked_about(
    tmp_path: Path, name: str, options: tuple[str, ...], sentence: str
) -> None:
    file = tmp_path / name
    file.touch()
    shutil.copy(Path(__file__).resolve().parents[2] / "stores.yaml", tmp_path)
    ran = finished(("ingest", str(file), *options), clean_environment() | {"CRM_HOME": str(tmp_path)})
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.said
    assert "Traceback" not in ran.said
