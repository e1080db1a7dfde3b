"""``crm_download digest``: the table, the files, JSON, and what it says where a figure does not agree."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from crm_assets.digest.words import NOT_FETCHED
from crm_assets.model import business_day, system_clock
from crm_assets.warehouse.connection import connect
from crm_assets_tests.fixtures.command import CommandLine, new_command_line
from crm_assets_tests.warehouse.samples import load, order, window


@pytest.fixture(scope="module")
def command(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """One order of the 12th of November 2025 is loaded."""
    with new_command_line(postgres_url, dagster_template, Path(tmp_path_factory.mktemp("digest"))) as command:
        with connect(command.url) as conn:
            load(conn, order("T1", 12, net_amount=1250, gross_amount=1250), days=window(12))
        yield command


def test_a_person_sees_a_table_and_where_the_files_are(command: CommandLine) -> None:
    ran = command("digest", "--date", "2025-11-12")
    assert ran.code == 0, ran
    assert "Sales of Wednesday, 12 November 2025" in ran.out
    row = next(line for line in ran.out.splitlines() if "Uttam Nagar" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        *("Uttam Nagar", "1", "₹1,250", "₹1,250*", NOT_FETCHED, "new")
    ]
    assert f"* without days that were never fetched; {NOT_FETCHED} none of it was" in ran.out
    files = [Path(line) for line in ran.out.splitlines() if line.startswith("/")]
    assert [file.name for file in files] == ["daily_sales_2025-11-12.html", "daily_sales_2025-11-12.xlsx"]
    assert all(file.stat().st_size > 5000 for file in files)


def test_a_program_gets_an_object_and_the_folder_it_asks_for(command: CommandLine, tmp_path: Path) -> None:
    ran = command("digest", "--date", "2025-11-12", "--output", str(tmp_path), "--json")
    told = json.loads(ran.out)
    assert (told["date"], told["reconciled"], told["stores"]["td/a668"]["day"]) == (
        "2025-11-12",
        True,
        {"orders": 1, "amount": 1250.0, "days_not_fetched": 0},
    )
    assert told["page"] == str(tmp_path / "daily_sales_2025-11-12.html")
    assert told["stores"].keys() == {"td/a668"}, "the others open later"
    assert (told["differences"], told["total"]["month"]["days_not_fetched"]) == ([], 11)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "daily_sales_2025-11-12.html",
        "daily_sales_2025-11-12.xlsx",
    ]


def test_tomorrow_has_no_digest_and_nobody_is_there_to_send_it_to(command: CommandLine) -> None:
    tomorrow = command("digest", "--date", str(business_day(system_clock) + timedelta(days=1)))
    assert (tomorrow.code, "is in the future" in tomorrow.said) == (2, True)
    before = command("digest", "--date", "2020-01-01")
    assert (before.code, "no store had opened on 2020-01-01" in before.said) == (2, True)
    nobody = command("digest", "--send")
    assert nobody.code == 4
    assert "CRM_DIGEST_URLS: expected addresses as Apprise has them, found none" in nobody.said


def test_figures_that_do_not_agree_end_with_1(command: CommandLine) -> None:
    """The last test of this module: the view counts every order a rupee too high from now on."""
    with connect(command.url) as conn:
        (definition,) = conn.execute("SELECT pg_get_viewdef('v_orders'::regclass)").fetchone() or ("",)
        wrong = definition.replace("fact_td_orders.gross_amount", "fact_td_orders.gross_amount + 1").replace(
            "NULLIF(fact_td_orders.net_amount, (0)::numeric)", "NULL::numeric"
        )
        conn.execute(f"CREATE OR REPLACE VIEW v_orders AS {wrong}")  # type: ignore[arg-type]
    ran = command("digest", "--date", "2025-11-12")
    assert ran.code == 1
    assert "RECONCILIATION FAILED" in ran.out
    assert "The tables do not bear out 2 of the figures" in ran.err
    assert "td/a668: sales of the day: the page says 1 and 1251.00, the tables hold 1 and 1250.00." in ran.out
