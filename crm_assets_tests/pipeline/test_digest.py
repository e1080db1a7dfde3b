"""The digest as an asset: its files, its metadata and its check; when the sensor makes it, and to whom it goes."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from crm_assets.digest.post import Sending
from crm_assets.model import Store, business_day, system_clock
from crm_assets.pipeline.compose import compose
from crm_assets.pipeline.digest import ASSET, CHECK, digest_sensor
from crm_assets.warehouse.connection import Connection, connect
from crm_assets_tests.fixtures.dagster import Pipeline, books, last_days
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.pipeline.test_coordinator import ORIGIN
from crm_assets_tests.pipeline.town import Town, ist
from crm_assets_tests.warehouse.attempts import loaded
from crm_assets_tests.warehouse.samples import window

KEY = dg.AssetKey(ASSET)
CRM = {"slots": ["10:30", "18:30"], "spread_minutes": 30}


def materialize(pipeline: Pipeline, day: date) -> dg.ExecuteInProcessResult:
    return pipeline.materialize(ASSET, partition=str(day))


def test_the_asset_writes_both_files_tells_the_totals_and_proves_them(pipeline: Pipeline) -> None:
    """Of a day whose orders were landed, staged and loaded by the assets themselves."""
    days = last_days(3)
    pipeline.land("td/a668", days)
    assert pipeline.fetch("td/a668", days, "stg_td_order_report", "fact_td_orders").success
    result = materialize(pipeline, days.last)
    assert result.success
    (event,) = pipeline.events(ASSET)
    assert event.partition == str(days.last)
    sold = books(pipeline.sandbox, "td/a668", last_days(1))
    assert event.metadata["orders"].value == len(sold)
    table = {row.data["store"]: row.data for row in event.metadata["sales"].records}  # type: ignore[union-attr]
    assert table.keys() == {"td/a668", "td/a817", "uc/sector56", "uc/sushantlok1", "all stores"}
    assert {name: row["fetched"] for name, row in table.items()} == {
        "td/a668": "yes",
        **dict.fromkeys(("td/a817", "uc/sector56", "uc/sushantlok1"), "no"),
        "all stores": "in part",
    }
    assert "- Kirti Nagar: not fetched yet" in event.metadata["in short"].value
    assert table["td/a668"]["amount"] == event.metadata["order amount"].value > 0
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.metadata["differences"].value) == (CHECK, True, "none")
    folder = pipeline.settings.digests_dir
    assert sorted(file.name for file in folder.iterdir()) == [
        f"daily_sales_{days.last}.html",
        f"daily_sales_{days.last}.xlsx",
    ]
    assert f"{days.last.day} {days.last:%B %Y}" in (folder / f"daily_sales_{days.last}.html").read_text("utf-8")


def test_it_depends_on_every_fact_table_by_day(pipeline: Pipeline) -> None:
    graph = compose(pipeline.settings).get_repository_def().asset_graph
    assert graph.get(KEY).parent_keys == {dg.AssetKey("fact_td_orders"), dg.AssetKey("fact_uc_gst")}
    today = str(business_day(system_clock))
    assert graph.get(KEY).partitions_def.has_partition_key(today)  # type: ignore[union-attr]
    mapped = graph.get(KEY).partition_mappings[dg.AssetKey("fact_td_orders")]
    assert mapped.partition_dimension_name == "date"  # type: ignore[attr-defined]


# The sensor, at times of its own.


@pytest.fixture
def town(postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with new_database(postgres_url, template=migrated_template) as url:
        yield Town(url=url, folder=tmp_path_factory.mktemp("town"))


@pytest.fixture
def two_stores(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Slots at 10:30 and 18:30; the second store begins a quarter of an hour later."""
    town.build(2, **CRM)
    monkeypatch.setenv("CRM_HOME", str(town.folder))
    monkeypatch.setenv("CRM_DATABASE_URL", town.url)
    return town


@pytest.fixture
def conn(two_stores: Town) -> Iterator[Connection]:
    with connect(two_stores.url) as connection:
        yield connection


def tick(at: str, instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = digest_sensor(lambda: ist(at))(context)
    assert isinstance(result, dg.SensorResult)
    return result


def keys(result: dg.SensorResult) -> list[str]:
    return [str(request.run_key) for request in result.run_requests or ()]


def served(conn: Connection, store: Store, at: str) -> None:
    when = ist(at)
    loaded(conn, window(23, 24), when, store=store)


def test_it_waits_until_every_store_has_been_served(two_stores: Town, conn: Connection) -> None:
    first, second = two_stores.store("a000"), two_stores.store("a001")
    with dg.DagsterInstance.ephemeral() as instance:
        assert tick("2025-11-24 10:40", instance).skip_reason.skip_message == "waits for td/a000, td/a001"  # type: ignore[union-attr]
        served(conn, first, "2025-11-24 10:32")
        assert tick("2025-11-24 10:50", instance).skip_reason.skip_message == "waits for td/a001"  # type: ignore[union-attr]
        served(conn, second, "2025-11-24 10:46")
        assert keys(tick("2025-11-24 10:50", instance)) == [
            "digest/2025-11-24/2025-11-24T10:30",
            "digest/2025-11-23/2025-11-24T10:30",
        ]


def test_it_waits_an_hour_at_the_most_and_asks_with_one_key_for_each_slot(two_stores: Town, conn: Connection) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert not keys(tick("2025-11-24 19:29", instance))
        late, later = tick("2025-11-24 19:30", instance), tick("2025-11-24 23:59", instance)
        assert keys(late) == keys(later) == ["digest/2025-11-24/2025-11-24T18:30"]
        assert [request.partition_key for request in late.run_requests or ()] == ["2025-11-24"]


def test_past_midnight_the_last_slot_is_still_the_day_befores(two_stores: Town, conn: Connection) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        night = tick("2025-11-25 00:10", instance)
        assert keys(night) == ["digest/2025-11-24/2025-11-24T18:30"]
        assert keys(tick("2025-11-25 10:29", instance)) == keys(night)


def test_a_store_that_opens_later_is_not_waited_for(two_stores: Town, conn: Connection) -> None:
    two_stores.build({"a000": {}, "a001": {"first_day": "2025-11-25"}}, **CRM)
    served(conn, two_stores.store("a000"), "2025-11-24 18:31")
    with dg.DagsterInstance.ephemeral() as instance:
        assert keys(tick("2025-11-24 18:40", instance)) == ["digest/2025-11-24/2025-11-24T18:30"]


class Hook(ThreadingHTTPServer):
    """What is posted to it, until it is told to refuse."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Posted)
        self.posted: list[dict[str, object]] = []
        self.refuses = False


class _Posted(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.refuses:
            self.server.posted.append(json.loads(body))
        self.send_response(500 if self.server.refuses else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the tests' screen."""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with Hook() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CRM_DIGEST_URLS", f"json://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()


def made(instance: dg.DagsterInstance, key: str) -> None:
    """The run of this key, as the daemon launched it, ended well."""
    run = dg.DagsterRun(
        job_name="__ASSET_JOB",
        tags={"dagster/run_key": key},
        status=dg.DagsterRunStatus.SUCCESS,
        remote_job_origin=ORIGIN,
    )
    instance.add_run(run)


def test_the_last_one_of_the_day_is_sent_once_with_its_files(two_stores: Town, conn: Connection, hook: Hook) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        made(instance, "digest/2025-11-24/2025-11-24T10:30")
        morning = tick("2025-11-24 12:00", instance)
        evening = tick("2025-11-24 19:30", instance, morning.cursor)
        assert hook.posted == [], "neither in the morning, nor before the evening's page is made"
        made(instance, "digest/2025-11-24/2025-11-24T18:30")
        hook.refuses = True
        refused = tick("2025-11-24 19:31", instance, evening.cursor)
        assert keys(refused) == ["digest/2025-11-24/2025-11-24T18:30"]
        hook.refuses = False
        sent = tick("2025-11-24 19:32", instance, refused.cursor)
        again = tick("2025-11-24 19:33", instance, sent.cursor)
        past_midnight = tick("2025-11-25 00:05", instance, again.cursor)
    assert past_midnight.cursor == again.cursor == sent.cursor
    assert Sending.read(sent.cursor, "2025-11-24").done
    (message,) = hook.posted
    assert message["title"] == "Sales of Monday, 24 November 2025: not fetched yet"
    assert "Store a000: not fetched yet" in str(message["message"])
    attached = message["attachments"]
    assert isinstance(attached, list)
    assert [one["filename"] for one in attached] == ["daily_sales_2025-11-24.html", "daily_sales_2025-11-24.xlsx"]


def test_what_could_not_be_sent_by_midnight_is_sent_after_it(two_stores: Town, conn: Connection, hook: Hook) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        made(instance, "digest/2025-11-24/2025-11-24T18:30")
        hook.refuses = True
        refused = tick("2025-11-24 23:59", instance)
        hook.refuses = False
        tick("2025-11-25 00:02", instance, refused.cursor)
    assert [message["title"] for message in hook.posted] == ["Sales of Monday, 24 November 2025: not fetched yet"]


def test_nobody_is_told_without_an_address(two_stores: Town, conn: Connection) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        made(instance, "digest/2025-11-24/2025-11-24T18:30")
        assert tick("2025-11-24 19:31", instance).cursor == str(Sending(day="2025-11-24"))
    assert not (two_stores.folder / "digests").exists()
