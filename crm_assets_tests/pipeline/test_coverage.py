"""The asset ``coverage``: every state of a day, and what is to be done about it."""

import base64
from datetime import timedelta

import dagster as dg
import pytest

from crm_assets.charts import SQUARE, Coverage
from crm_assets.errors import HeaderDrift
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.coverage import ASSET, DAYS, coverage_shown
from crm_assets.warehouse.connection import connect
from crm_assets_tests.pipeline.town import Town, ist
from crm_assets_tests.test_charts import opened
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
    missing = [(row.data["days"], row.data["state"], row.data["what to do"]) for row in told["missing days"].records]
    fetches = "The sensor td_catch_up fetches it. To have it now: "
    command = "crm_download download --crm td --store a668 --report order_report"
    assert missing == [
        ("2025-11-22 to 2025-11-23", "hole", f"{fetches}{command} --from 2025-11-22 --to 2025-11-23"),
        (
            "2025-11-21",
            "failed: HeaderDrift",
            f"Next: {HeaderDrift.next_step} To have it now: {command} --from 2025-11-21 --to 2025-11-21",
        ),
        ("2025-11-20", "hole", f"{fetches}{command} --from 2025-11-20 --to 2025-11-20"),
    ]


def test_the_picture_is_a_png_and_says_in_words_what_it_shows(town: Town) -> None:
    with connect(town.url) as conn:
        picture, _, words = coverage_shown(conn, town.settings, NOW)["picture"].value.partition(")\n\n")
    png = base64.b64decode(picture.removeprefix("![In words below](data:image/png;base64,"))
    assert opened(png).width > DAYS * SQUARE
    assert words == (
        "2025-09-26 to 2025-11-24, 1 of 1 lines drawn. "
        "Days of all of them: 1 good, 18 empty, 1 failed, 3 hole, 37 not due."
    )


def test_of_more_lines_than_can_be_drawn_those_that_lack_most_are(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store that opened today lacks nothing, and is left out of the picture; the counts are of all."""
    monkeypatch.setattr("crm_assets.pipeline.coverage.DRAWN", 1)
    town.build({"a817": {"first_day": NOW.date()}, "a668": {}})
    with connect(town.url) as conn:
        told = coverage_shown(conn, town.settings, NOW)
    assert (
        "1 of 2 lines drawn. Days of all of them: 1 good, 18 empty, 1 failed, 3 hole, 97 not due"
        in told["picture"].value
    )
    assert [row.data["store"] for row in told["days by state"].records] == ["td/a817", "td/a668"]


def test_the_asset_shows_it(town: Town) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        job = compose(town.settings).resolve_implicit_global_asset_job_def()
        job.execute_in_process(asset_selection=[dg.AssetKey(ASSET)], instance=instance)
        event = instance.get_latest_materialization_event(dg.AssetKey(ASSET))
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata.keys() == {
        "picture",
        "days by state",
        "missing days",
        "holes",
        "failed days",
    }
