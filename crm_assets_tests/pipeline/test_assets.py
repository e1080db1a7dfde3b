"""The chain of three assets for store-days: raw file, staging, facts; what each leaves behind and says of itself."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dagster as dg
import pytest

from crm_assets.model import IST, Report, Window
from crm_assets_tests.fixtures.dagster import Pipeline, books, busy_days, chain, failure_text, keys
from crm_assets_tests.fixtures.sandbox import REPORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A run over two days of one store that ended well."""

    pipeline: Pipeline
    name: str
    window: Window
    result: dg.ExecuteInProcessResult

    @property
    def report(self) -> Report:
        return REPORTS[self.name.split("/")[0]]

    @property
    def books(self) -> list[Any]:
        return books(self.pipeline.sandbox, self.name, self.window)

    def ledger(self) -> dict[str, Any]:
        (row,) = self.pipeline.rows("SELECT * FROM download_ledger WHERE run_id = %s", self.result.run_id)
        return row


@pytest.fixture(scope="module", params=["td/a668", "uc/sushantlok1"])
def fetched(request: pytest.FixtureRequest, module_pipeline: Pipeline) -> Fetched:
    """Two days of one store of each CRM, fetched once for every test of this file."""
    window = busy_days(module_pipeline.sandbox, request.param, count=2)
    result = module_pipeline.fetch(request.param, window)
    assert result.success, failure_text(result)
    return Fetched(pipeline=module_pipeline, name=request.param, window=window, result=result)


def test_a_run_over_a_range_asks_the_portal_once(fetched: Fetched) -> None:
    assert fetched.pipeline.sandbox.log.exports[fetched.name] == 1


def test_the_ledger_tells_the_whole_life_of_the_file(fetched: Fetched) -> None:
    row = fetched.ledger()
    assert (row["crm"] + "/" + row["store"], row["report"]) == (fetched.name, fetched.report.name)
    assert (row["from_date"], row["to_date"]) == (fetched.window.first, fetched.window.last)
    assert (row["status"], row["attempt"], row["error_code"]) == ("ingested", 1, None)
    assert row["row_count"] == len(fetched.books)
    assert row["started_at"] <= row["requested_at"] <= row["finished_at"] <= row["ingested_at"] <= row["deleted_at"]
    assert row["bytes"] > 1000
    assert row["signed_in_again"] is True
    assert row["strategy"] == {"td": "report_request", "uc": "generate_gst_post"}[row["crm"]]


def test_staging_holds_every_row_as_the_portal_wrote_it(fetched: Fetched) -> None:
    report = fetched.report
    staged = fetched.pipeline.rows(f"SELECT * FROM {report.staging_table} ORDER BY row_number")  # noqa: S608
    assert len(staged) == len(fetched.books)
    for staged_row, written in zip(staged, fetched.books, strict=True):
        for column in report.columns:
            value = written[column.header]
            text = None if value is None or value == "" else str(value).removesuffix(".0")
            assert staged_row[column.name] == text, column.header
    assert [row["row_number"] for row in staged] == list(range(2, len(staged) + 2))
    assert {row["ledger_id"] for row in staged} == {fetched.ledger()["ledger_id"]}


def test_the_manifest_counts_each_day(fetched: Fetched) -> None:
    crm, store = fetched.name.split("/")
    slices = fetched.pipeline.rows(
        "SELECT business_day, row_count FROM staging_slice WHERE crm = %s AND store = %s ORDER BY 1", crm, store
    )
    assert [row["business_day"] for row in slices] == list(fetched.window.days())
    assert sum(row["row_count"] for row in slices) == len(fetched.books)
    assert all(row["row_count"] >= 2 for row in slices)


def test_the_facts_are_what_the_portal_has_in_its_books(fetched: Fetched) -> None:
    facts = fetched.pipeline.rows(f"SELECT * FROM {fetched.report.fact_table}")  # noqa: S608
    key = fetched.report.column(fetched.report.key).header
    expected = {row[key]: row for row in fetched.books}
    assert {row[fetched.report.key] for row in facts} == expected.keys()
    for fact in facts:
        written = expected[fact[fetched.report.key]]
        assert fact["missing_since"] is None
        if fetched.report.crm == "td":
            ordered = datetime.strptime(written["Order Date / Time"], "%d %b %Y %I:%M:%S %p").replace(tzinfo=IST)
            assert (fact["ordered_at"], fact["business_day"]) == (ordered, ordered.date())
            assert fact["order_status"] == written["Order Status"]
            assert (float(fact["net_amount"]), float(fact["paid"])) == (written["Net Amount"], written["Paid"])
            assert fact["preference"] == written["Preference"]
        else:
            assert f"{fact['business_day']:%d/%m/%Y}" == written["Invoice Date"]
            assert float(fact["invoice_value"]) == float(written["Total Invoice Value"])
            assert fact["payment_status"] == written["Payment Status"]


def test_the_audit_accounts_for_every_row(fetched: Fetched) -> None:
    (row,) = fetched.pipeline.rows("SELECT * FROM ingest_audit WHERE run_id = %s", fetched.result.run_id)
    count, ledger = len(fetched.books), fetched.ledger()
    assert (row["from_date"], row["to_date"]) == (fetched.window.first, fetched.window.last)
    assert (row["parsed_rows"], row["inserted_rows"]) == (count, count)
    assert (row["updated_rows"], row["unchanged_rows"], row["rejected_rows"], row["missing_rows"]) == (0, 0, 0, 0)
    assert (row["status"], row["md5"], row["ledger_id"]) == ("ok", ledger["md5"], ledger["ledger_id"])
    assert row["started_at"] <= row["finished_at"]


def test_the_loaded_file_is_gone(fetched: Fetched) -> None:
    assert fetched.pipeline.files == []


def test_every_key_of_the_range_is_materialized_in_all_three_assets(fetched: Fetched) -> None:
    store = fetched.name.split("/")[1]
    for asset in chain(fetched.report):
        assert fetched.pipeline.materialized(asset) == keys(store, fetched.window)


def test_the_raw_asset_shows_its_files(fetched: Fetched) -> None:
    metadata = fetched.pipeline.events(fetched.report.raw_asset)[0].metadata
    files = metadata["files"]
    assert isinstance(files, dg.TableMetadataValue)
    (file,) = files.records
    ledger = fetched.ledger()
    assert ledger["stored_name"].endswith(f"/{file.data['file']}")
    assert str(file.data["file"]).startswith(fetched.report.file_prefix)
    assert (file.data["store"], file.data["window"]) == (fetched.name, str(fetched.window))
    assert (file.data["bytes"], file.data["md5"]) == (ledger["bytes"], ledger["md5"])
    assert metadata["size"].value == ledger["bytes"]


def test_staging_and_facts_count_their_rows_for_each_partition(fetched: Fetched) -> None:
    header = fetched.report.column(fetched.report.day).header
    for asset in (fetched.report.staging_table, fetched.report.fact_table):
        events = {event.partition: event.metadata for event in fetched.pipeline.events(asset)}
        for day in fetched.window.days():
            text = f"{day:%d %b %Y}" if fetched.report.crm == "td" else f"{day:%d/%m/%Y}"
            of_day = [row for row in fetched.books if str(row[header]).startswith(text)]
            metadata = events[f"{day}|{fetched.name.split('/')[1]}"]
            assert metadata["dagster/partition_row_count"].value == len(of_day)


def test_the_facts_say_what_became_of_the_rows_of_the_run_and_of_each_day(fetched: Fetched) -> None:
    events = fetched.pipeline.events(fetched.report.fact_table)
    assert events[0].metadata["run: inserted"].value == len(fetched.books)
    of_none = ("updated", "unchanged", "missing", "rejected")
    assert [events[0].metadata[f"run: {name}"].value for name in of_none] == [0] * 4
    for event in events:
        rows = event.metadata["dagster/partition_row_count"].value
        assert [event.metadata[name].value for name in ("rows in", "inserted", *of_none)] == [rows, rows, 0, 0, 0, 0]
    store = fetched.name.split("/")[1]
    (amount,) = fetched.pipeline.rows("SELECT sum(order_amount) AS rupees FROM v_daily_sales WHERE store = %s", store)
    assert sum(event.metadata["amount in rupees"].value for event in events) == pytest.approx(float(amount["rupees"]))  # type: ignore[misc, arg-type]
    assert events[0].metadata["run: amount in rupees"].value == pytest.approx(float(amount["rupees"]))


def test_each_day_tells_the_file_it_came_from_and_whose_the_time_was(fetched: Fetched) -> None:
    ledger = fetched.ledger()
    for asset in chain(fetched.report):
        for event in fetched.pipeline.events(asset):
            assert (event.metadata["md5"].value, event.metadata["file"].value) == (
                ledger["md5"],
                ledger["stored_name"].rsplit("/")[-1],
            )
    facts = fetched.pipeline.events(fetched.report.fact_table)[0].metadata
    assert (facts["strategy"].value, facts["window"].value) == (ledger["strategy"], str(fetched.window))
    assert 0 < facts["portal seconds"].value < 60  # type: ignore[operator]
    assert 0 < facts["our seconds"].value < 60  # type: ignore[operator]


def test_the_newest_day_alone_shows_a_few_rows_and_a_picture_and_nobodys_name(fetched: Fetched) -> None:
    events = {str(event.partition): event.metadata for event in fetched.pipeline.events(fetched.report.fact_table)}
    newest = events.pop(max(events))
    assert not any({"preview", "last 30 days"} & metadata.keys() for metadata in events.values())
    picture, _, words = str(newest["last 30 days"].value).partition(")\n\n")
    assert base64.b64decode(picture.removeprefix("![In words below](data:image/png;base64,")).startswith(b"\x89PNG")
    assert words.startswith("Rupees of each of the 30 days to ")
    assert words.endswith("28 days never fetched.")
    assert len(picture) < 4_000
    preview = newest["preview"]
    assert isinstance(preview, dg.TableMetadataValue)
    assert 1 <= len(preview.records) <= 5
    shown = {name for record in preview.records for name in record.data}
    assert fetched.report.key in shown
    assert not shown & {column.name for column in fetched.report.columns if column.personal}
    told = " ".join(str(row["event"]) for row in fetched.pipeline.rows("SELECT event FROM dagster.event_logs"))
    for header in ("Name", "Phone", "Customer Name", "Customer Ph. No."):
        for row in fetched.books:
            if len(value := str(row.get(header) or "").strip()) > 4:
                assert value not in told


def test_a_kept_file_stays_and_is_the_one_in_the_ledger(pipeline: Pipeline) -> None:
    window = busy_days(pipeline.sandbox, "uc/sector56")
    result = pipeline.fetch("uc/sector56", window, keep_file=True)
    assert result.success, failure_text(result)
    assert pipeline.files == [f"UC_GST_Sector56Gurugram_{window.first}_to_{window.last}.xlsx"]
    (row,) = pipeline.ledger()
    content = (pipeline.installation.home / "downloads" / pipeline.files[0]).read_bytes()
    assert row["md5"] == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert (row["status"], row["keep_file"], row["deleted_at"]) == ("ingested", True, None)


def test_a_single_partition_is_a_run_like_any_other(pipeline: Pipeline) -> None:
    """As the asset page launches it for one cell: no range, a partition key of two dimensions."""
    window = busy_days(pipeline.sandbox, "uc/sector56")
    result = pipeline.materialize(*chain(REPORTS["uc"]), partition=f"{window.first}|sector56")
    assert result.success, failure_text(result)
    assert pipeline.materialized("fact_uc_gst") == keys("sector56", window)
    (row,) = pipeline.audit()
    assert row["inserted_rows"] == len(books(pipeline.sandbox, "uc/sector56", window))


@pytest.mark.parametrize("asset", [*chain(REPORTS["td"]), *chain(REPORTS["uc"])])
def test_each_asset_tells_what_it_is(module_pipeline: Pipeline, asset: str) -> None:
    from crm_assets.pipeline.compose import compose

    graph = compose(module_pipeline.settings).resolve_asset_graph()
    spec = graph.get(dg.AssetKey(asset))
    report = next(report for report in REPORTS.values() if asset in chain(report))
    assert spec.group_name == {"td": "tumbledry", "uc": "uclean"}[report.crm]
    assert spec.description
    assert spec.owners
    assert spec.kinds == ({"playwright", "excel"} if asset == report.raw_asset else {"postgres"})
    assert isinstance(spec.partitions_def, dg.MultiPartitionsDefinition)
    assert spec.backfill_policy == dg.BackfillPolicy.multi_run(90)


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_catalogue_shows_table_and_columns_as_the_database_has_them(
    module_pipeline: Pipeline, report: Report
) -> None:
    from crm_assets.pipeline.compose import compose

    graph = compose(module_pipeline.settings).resolve_asset_graph()
    for table in (report.staging_table, report.fact_table):
        metadata = graph.get(dg.AssetKey(table)).metadata
        assert metadata["dagster/table_name"] in (table, dg.MetadataValue.text(table))
        schema = metadata["dagster/column_schema"]
        told = schema.value if isinstance(schema, dg.TableSchemaMetadataValue) else schema
        there = {
            row["column_name"]: row["type"]
            for row in module_pipeline.rows(
                """
                SELECT attname AS column_name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
                WHERE attrelid = %s::regclass AND attnum > 0
                """,
                table,
            )
        }
        short = {"timestamp with time zone": "timestamptz"}
        for column in told.columns:
            found = there.pop(column.name)
            assert column.type == short.get(found, found), column.name
            assert column.description
        assert not there, "every column of the table is shown"
