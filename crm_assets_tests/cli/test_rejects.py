"""``crm_download rejects``: the rows that no fact table took, from the file that brought them to a person's decision."""

import json
from typing import Any

import pytest

from crm_assets.model import system_clock
from crm_assets_tests.cli.workbooks import exported, sold
from crm_assets_tests.fixtures.command import CommandLine, Ran
from crm_assets_tests.fixtures.dagster import busy_days

SECRETS = ("Never Shown Customer", "9999900000", "Never Shown Street")


@pytest.fixture
def rejecting(crm_download: CommandLine) -> CommandLine:
    """An installation that ingested a file with a bad date and a missing key among its rows."""
    days = busy_days(crm_download.sandbox, "td/a668", count=2)
    rows = sold(crm_download, "td/a668", days)
    customer = dict(zip(("Name", "Phone", "Address"), SECRETS, strict=True))
    bad_date = {**rows[0], **customer, "Order No.": "T900001", "Order Date / Time": "yesterday"}
    no_key = {**rows[0], **customer, "Order No.": None}
    name = f"TD_OrderReport_UttamNagar_{days.first}_to_{days.last}.xlsx"
    file = exported(crm_download, name, [*rows, bad_date, no_key], crm="td", at=system_clock())
    ran = crm_download("ingest", str(file), "--json")
    assert ran.code == 0, ran
    assert (ran.objects["td/a668"]["rejected"], ran.objects["td/a668"]["inserted"]) == (2, len(rows))
    assert crm_download.loaded("td/a668") == crm_download.sold("td/a668", days)
    return crm_download


def listed(ran: Ran) -> dict[int, dict[str, Any]]:
    """What ``rejects list --json`` printed, by number."""
    assert ran.code == 0, ran
    return {one["id"]: one for one in map(json.loads, ran.out.splitlines())}


def test_rejected_rows_are_listed_shown_replayed_and_waived(rejecting: CommandLine) -> None:
    table, found = rejecting("rejects", "list"), listed(rejecting("rejects", "list", "--crm", "td", "--json"))
    first, second = sorted(found)
    assert [len(one["rules"]) for one in found.values()] == [1, 1]
    assert found[first]["rules"][0].startswith("ordered_at: a date as ")
    assert found[second]["rules"] == ["order_number: not empty"]
    assert {(one["account"], one["status"]) for one in found.values()} == {("td/a668", "open")}
    assert table.code == 0
    assert "ordered_at: a date as" in table.said
    assert not [secret for secret in SECRETS if secret in table.said + str(found)]

    shown = rejecting("rejects", "show", str(first))
    one = json.loads(shown.out)
    assert (one["row"]["order_number"], one["row"]["customer_name"]) == ("T900001", SECRETS[0])
    assert [(problem["column"], problem["value"]) for problem in one["problems"]] == [("ordered_at", "yesterday")]

    replayed = rejecting("rejects", "replay")
    assert replayed.code == 0, replayed
    assert "2 still rejected" in replayed.said

    waived = rejecting("rejects", "waive", str(second), "--reason", "a test booking")
    assert (waived.code, waived.out.strip()) == (0, f"waived: {second}")
    every = listed(rejecting("rejects", "list", "--all", "--json"))
    assert {number: (one["status"], one["note"]) for number, one in every.items()} == {
        first: ("open", None),
        second: ("waived", "a test booking"),
    }


def test_a_number_that_no_row_has_is_a_wrong_usage(crm_download: CommandLine) -> None:
    ran = crm_download("rejects", "show", "17")
    assert (ran.code, ran.out) == (2, "")
    assert "no rejected row has the number 17; see: crm_download rejects list --all" in ran.said
