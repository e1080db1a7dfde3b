"""Downloads inside a run: how many exports a window takes, and that one store's bad day is its own.

Real browsers at the sandbox's portals. UClean is the quicker of the two, and serves where the CRM does not matter.
"""

import os
from typing import Any

import pytest

from crm_assets.errors import error_class
from crm_assets.model import Window
from crm_assets.pipeline.partitions import key_of
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.outcomes import RunOutcome, outcome_of_run
from crm_assets_tests.fixtures.dagster import Pipeline, busy_days, chain, failure_text, keys
from crm_assets_tests.fixtures.sandbox import REPORTS

RAW, STAGING, FACTS = chain(REPORTS["uc"])
GOOD, BAD = "sector56", "sushantlok1"


def fetch_both(pipeline: Pipeline, window: Window, *assets: str) -> Any:
    """One run over both stores of UClean."""
    first, last = sorted((GOOD, BAD))
    tags = {
        "dagster/asset_partition_range_start": str(key_of(first, window.first)),
        "dagster/asset_partition_range_end": str(key_of(last, window.last)),
    }
    return pipeline.materialize(*(assets or (RAW, STAGING, FACTS)), tags=tags)


def outcome(pipeline: Pipeline, run_id: str) -> RunOutcome:
    with connect(pipeline.url) as conn:
        return outcome_of_run(conn, run_id)


def by_store(pipeline: Pipeline) -> dict[str, tuple[str, str | None]]:
    return {row["store"]: (row["status"], row["error_code"]) for row in pipeline.ledger()}


def both_fetched(pipeline: Pipeline) -> Window:
    return busy_days(pipeline.sandbox, f"uc/{GOOD}", f"uc/{BAD}")


def _bad_gateway(pipeline: Pipeline) -> None:
    pipeline.sandbox.fault("502", crm="uc", store=BAD, at=["export"], times=None)


def _html(pipeline: Pipeline) -> None:
    pipeline.sandbox.fault("html_instead_of_xlsx", crm="uc", store=BAD, times=None)


def _slow(pipeline: Pipeline) -> None:
    os.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "8"
    pipeline.sandbox.fault("slow", crm="uc", store=BAD, at=["export"], seconds=12)


@pytest.mark.parametrize(
    ("bad_day", "codes"),
    [
        (_bad_gateway, {"PortalUnavailable"}),
        (_html, {"NotAWorkbook", "PortalChanged"}),
        (_slow, {"PortalChanged", "PortalUnavailable", "BrowserFroze"}),
    ],
    ids=["502", "html instead of xlsx", "slow"],
)
def test_one_stores_bad_day_is_its_own(pipeline: Pipeline, bad_day: Any, codes: set[str]) -> None:
    window = both_fetched(pipeline)
    bad_day(pipeline)
    result = fetch_both(pipeline, window)
    assert not result.success
    assert f"uc/{BAD}" in failure_text(result)
    assert f"uc/{GOOD}" not in failure_text(result)
    status, code = by_store(pipeline)[BAD]
    assert status == "failed"
    assert code in codes
    assert by_store(pipeline)[GOOD] == ("downloaded", None)
    assert pipeline.materialized(RAW) == keys(GOOD, window)
    assert [name for name in pipeline.files if "SushantLok" in name] == [], "nothing half-landed"
    for table in (STAGING, FACTS):
        assert pipeline.rows(f"SELECT store FROM {table} WHERE store = %s", BAD) == []  # noqa: S608

    told = outcome(pipeline, result.run_id)
    assert (told.ok, told.files, told.error_code) == (False, 1, code)
    assert str(told.error_message).startswith(f"uc/{BAD}")
    assert error_class(code).__name__ == code

    healed = pipeline.fetch(f"uc/{GOOD}", window, STAGING, FACTS)
    assert healed.success, failure_text(healed)
    assert by_store(pipeline)[GOOD] == ("ingested", None)


def test_a_refused_login_waits_for_a_person_and_a_good_one_does_not(pipeline: Pipeline) -> None:
    window = both_fetched(pipeline)
    os.environ["CRM_UC_SUSHANTLOK1_PASSWORD"] = "not the one"
    result = fetch_both(pipeline, window, RAW)
    assert not result.success
    assert "crm_download bootstrap --crm uc --store sushantlok1" in failure_text(result)
    assert by_store(pipeline) == {GOOD: ("downloaded", None), BAD: ("failed", "LoginRejected")}
    assert pipeline.materialized(RAW) == keys(GOOD, window)
    assert sum(pipeline.sandbox.log.rejected_logins.values()) == 1, "tried once: a second time could lock the account"
    states = {row["store"]: row for row in pipeline.rows("SELECT * FROM store_session")}
    assert states[BAD]["state"] == "needs_person"
    assert "bootstrap" in states[BAD]["reason"]
    assert (states[GOOD]["state"], states[GOOD]["reason"]) == ("ok", None)
    assert states[GOOD]["last_login_at"] is not None


def test_one_run_serves_several_stores_and_only_an_expired_session_is_renewed(pipeline: Pipeline) -> None:
    window = both_fetched(pipeline)
    result = fetch_both(pipeline, window)
    assert result.success, failure_text(result)
    assert by_store(pipeline) == {GOOD: ("ingested", None), BAD: ("ingested", None)}
    assert pipeline.materialized(FACTS) == keys(GOOD, window) | keys(BAD, window)
    assert pipeline.sandbox.log.exports == {f"uc/{GOOD}": 1, f"uc/{BAD}": 1}

    pipeline.sandbox.fault("session_expired", crm="uc", store=BAD)
    result = fetch_both(pipeline, window, RAW)
    assert result.success, failure_text(result)
    again = {row["store"]: row["signed_in_again"] for row in pipeline.ledger()[2:]}
    assert again == {BAD: True, GOOD: False}
    assert pipeline.sandbox.log.logins == {f"uc/{GOOD}": 1, f"uc/{BAD}": 2}


def test_every_reason_is_in_the_runs_failure_and_what_is_good_is_kept(pipeline: Pipeline) -> None:
    """Two windows each: one store's first meets a 502, the other's login page stands in for its first workbook."""
    window = busy_days(pipeline.sandbox, f"uc/{GOOD}", f"uc/{BAD}", count=2)
    pipeline.installation.write_stores(UClean="UClean\n    max_window_days: 1")
    pipeline.sandbox.fault("502", crm="uc", store=BAD, at=["export"], times=3)
    pipeline.sandbox.fault("html_instead_of_xlsx", crm="uc", store=GOOD)
    result = fetch_both(pipeline, window)
    assert not result.success
    lines = failure_text(result).splitlines()
    assert any(BAD in line and "502" in line for line in lines)
    assert any("HTML" in line for line in lines)
    first, second = window.days()
    assert pipeline.materialized(RAW) == {f"{second}|{GOOD}", f"{second}|{BAD}"}
    failed = [row for row in pipeline.ledger() if row["status"] == "failed"]
    assert {(row["store"], row["from_date"]) for row in failed} == {(GOOD, first), (BAD, first)}


def test_a_window_longer_than_the_portal_allows_takes_several_exports(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, f"uc/{GOOD}", count=3)
    pipeline.installation.write_stores(UClean="UClean\n    max_window_days: 2")
    result = pipeline.fetch(f"uc/{GOOD}", window)
    assert result.success, failure_text(result)
    assert pipeline.sandbox.log.exports == {f"uc/{GOOD}": 2}
    days = list(window.days())
    assert [(row["from_date"], row["to_date"]) for row in pipeline.ledger()] == [
        (days[0], days[1]),
        (days[2], days[2]),
    ]
    assert pipeline.materialized(FACTS) == keys(GOOD, window)
    assert sum(row["inserted_rows"] for row in pipeline.audit()) == len(
        pipeline.sandbox.books.uc_invoices(GOOD, window)
    )


def test_nothing_is_asked_of_a_portal_when_the_ledger_is_not_there(pipeline: Pipeline) -> None:
    pipeline.rows("DELETE FROM _yoyo_migration WHERE migration_id LIKE '0006%%' RETURNING 1")
    result = pipeline.fetch(f"uc/{GOOD}", both_fetched(pipeline))
    assert not result.success
    assert "Run: crm_download migrate" in failure_text(result)
    assert pipeline.sandbox.log.logins == {}
