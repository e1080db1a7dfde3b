"""What the catalogue shows before anything has run: columns with their people marked, where each comes from, and the code."""

from pathlib import Path

import dagster as dg
import pytest

from crm_assets.model import Report
from crm_assets.pipeline.compose import compose
from crm_assets.portals.tumbledry.reports import ORDER_REPORT, SALES_AND_DELIVERY
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.settings import load_settings
from crm_assets_tests.pipeline.town import Town

REPORTS = (ORDER_REPORT, SALES_AND_DELIVERY, GST_REPORT)
each_report = pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)


@pytest.fixture(scope="module")
def metadata() -> dict[str, dict[str, object]]:
    """Of every asset of the project's own ``stores.yaml``."""
    graph = compose(load_settings({})).resolve_asset_graph()
    return {key.to_user_string(): dict(graph.get(key).metadata) for key in graph.get_all_asset_keys()}


def columns(metadata: dict[str, object]) -> dict[str, dg.TableColumn]:
    schema = metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    return {column.name: column for column in schema.columns}


@each_report
def test_the_raw_file_shows_the_portals_headers(metadata: dict[str, dict[str, object]], report: Report) -> None:
    assert list(columns(metadata[report.raw_asset])) == [column.header for column in report.file_columns]


@each_report
def test_columns_that_may_name_people_are_marked(metadata: dict[str, dict[str, object]], report: Report) -> None:
    personal = {column.name for column in report.columns if column.personal}
    for table, kept in ((report.staging_table, "_extra"), (report.fact_table, "warnings")):
        marked = {name for name, column in columns(metadata[table]).items() if column.tags == {"personal": "yes"}}
        assert marked == personal | {kept}


@each_report
def test_every_column_comes_from_one_that_is_there_down_to_the_workbook(
    metadata: dict[str, dict[str, object]], report: Report
) -> None:
    own = {column.name for column in report.columns}
    for table in (report.staging_table, report.fact_table):
        lineage, there = metadata[table]["dagster/column_lineage"], columns(metadata[table]).keys()
        assert isinstance(lineage, dg.TableColumnLineage)
        assert (own | {"business_day"}) & there <= lineage.deps_by_column.keys() <= there
        for deps in lineage.deps_by_column.values():
            assert deps
            for dep in deps:
                assert dep.column_name in columns(metadata[dep.asset_key.to_user_string()])


@each_report
def test_each_columns_description_names_the_header_it_comes_from(
    metadata: dict[str, dict[str, object]], report: Report
) -> None:
    """The open source UI shows no lineage of columns."""
    for table in (report.staging_table, report.fact_table):
        told = columns(metadata[table])
        for column in report.file_columns:
            if column.name in told:
                assert f"`{column.header}`" in str(told[column.name].description)


def test_a_made_column_comes_from_all_of_its_parts(metadata: dict[str, dict[str, object]]) -> None:
    lineage = metadata["stg_td_sales"]["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    parts = {dep.column_name for dep in lineage.deps_by_column["payment_key"]}
    assert parts == {"Order Number", "Payment Date", "Payment Mode"}


def places(metadata: dict[str, object]) -> list[tuple[str, str]]:
    """Each code reference's file name, and the text at its line."""
    value = metadata["dagster/code_references"]
    assert isinstance(value, dg.CodeReferencesMetadataValue)
    files = [one for one in value.code_references if isinstance(one, dg.LocalFileCodeReference)]
    lines = [Path(one.file_path).read_text(encoding="utf-8").splitlines()[(one.line_number or 0) - 1] for one in files]
    return [(Path(one.file_path).name, line.strip()) for one, line in zip(files, lines, strict=True)]


@each_report
def test_the_code_behind_each_asset_is_one_click_away(metadata: dict[str, dict[str, object]], report: Report) -> None:
    for asset in report.assets:
        there, *made = places(metadata[asset])
        assert there == ("reports.py", f'name="{report.name}",')
        assert [line for _, line in made] == ([] if asset == report.raw_asset else [f"CREATE TABLE {asset} ("])


def test_the_code_of_the_operations_too(metadata: dict[str, dict[str, object]]) -> None:
    assert places(metadata["coverage"]) == [("coverage.py", "def coverage_asset() -> dg.AssetsDefinition:")]
    assert [name for name, _ in places(metadata["store_freshness"])] == ["operations.py"]


def test_every_asset_is_described_owned_and_grouped(tmp_path: Path) -> None:
    town = Town(url="postgresql://nobody@127.0.0.1:1/none", folder=tmp_path)
    graph = compose(town.build(1)).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        spec = graph.get(key)
        assert spec.description and spec.owners and spec.kinds and spec.group_name != "default", key
