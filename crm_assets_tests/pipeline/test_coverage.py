"""The asset ``coverage``: every state of a day, and what is to be done about it."""

from datetime import timedelta

import dagster as dg
import pytest

from crm_assets.charts import Coverage
from crm_assets.errors import HeaderDrift
from crm_assets.pipeline.coverage import DAYS, HOLE_STEP, coverage_asset, coverage_shown
from crm_assets.pipeline.resources import Warehouse
from crm_assets.warehouse.connection import connect
from crm_assets_tests.pipeline.town import Town, ist
from crm_assets_tests.warehouse.attempts import failed
from crm_assets_tests.warehouse.samples import staged, window, written

NOW = ist("2025-11-24 15:00")


@pytest.fixture
def town(warehouse: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Town:
    """One store that opened on the 1st, of which some days are there."""
    town = Town(url=warehouse, folder=tmp_path_factory.mktemp("town"))
    town.build({"a668": {}})
    with connect(warehouse) as conn:
        staged(conn, written("T1", 10), days=window(1, 19))
        failed(conn, window(21), NOW - timedelta(hours=5), HeaderDrift("a column is gone"))
    monkeypatch.setenv("CRM_HOME", str(town.folder))
    monkeypatch.setenv("CRM_DATABASE_URL", town.url)
    return town


def test_every_state_is_counted_and_every_missing_day_has_its_next_step(town: Town) -> None:
    with connect(town.url) as conn:
        told = coverage_shown(conn, town.settings, NOW)
    (line,) = told["days by state"].records
    assert line.data == {
        "store": "td/a668",
        "report": "order_report",
        Coverage.GOOD: 1,
        Coverage.EMPTY: 18,
        Coverage.FAILED: 1,
        Coverage.HOLE: 3,
        Coverage.NOT_DUE: DAYS - 23,
    }
    assert (told["holes"], told["failed days"]) == (3, 1)
    missing = [(row.data["day"], row.data["state"], row.data["what to do"]) for row in told["missing days"].records]
    assert missing == [
        ("2025-11-23", "hole", HOLE_STEP),
        ("2025-11-22", "hole", HOLE_STEP),
        ("2025-11-21", "failed", f"HeaderDrift: {HeaderDrift.next_step}"),
        ("2025-11-20", "hole", HOLE_STEP),
    ]
    assert told["picture"].value.startswith("![What is there of 2025-09-26 to 2025-11-24](data:image/png;base64,")


def test_the_asset_shows_it(town: Town) -> None:
    result = dg.materialize(
        [coverage_asset()], resources={"warehouse": Warehouse()}, instance=dg.DagsterInstance.ephemeral()
    )
    (event,) = result.asset_materializations_for_node("coverage")
    assert {"picture", "days by state", "missing days", "holes", "failed days"} <= event.metadata.keys()
