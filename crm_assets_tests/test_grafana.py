"""The dashboard and the examples for BI tools: every query runs, in the readers' role, on a filled warehouse."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from crm_assets.warehouse.connection import connect
from crm_assets_tests.digest.business import done
from crm_assets_tests.fixtures.postgres import new_database

ROOT = Path(__file__).resolve().parents[1]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
BLOCKS = re.findall(r"^```sql\n(.*?)^```", (ROOT / "docs/bi.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
FROM, TO = datetime(2025, 8, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)  # noqa: TID251 - the views tell today's


def expanded(statement: str) -> str:
    """The query as Grafana sends it, with every CRM and store chosen."""
    between = f"BETWEEN '{FROM.isoformat()}' AND '{TO.isoformat()}'"
    statement = re.sub(r"\$__timeFilter\(([^()]*(?:\([^()]*\))?[^()]*)\)", rf"\1 {between}", statement)
    for name, value in (
        ("$__timeFrom()", f"'{FROM.isoformat()}'"),
        ("$__timeTo()", f"'{TO.isoformat()}'"),
        ("${crm:sqlstring}", "'td','uc'"),
        ("${store:sqlstring}", "'a668','a817','sector56'"),
    ):
        statement = statement.replace(name, value)
    assert "$" not in statement, statement
    return statement


@pytest.fixture(scope="module")
def reader(postgres_url: str, migrated_template: str) -> Iterator[psycopg.Connection]:
    """In the readers' role, on a warehouse of three stores."""
    with new_database(postgres_url, template=migrated_template) as url:
        with connect(url) as conn:
            done(conn)
            conn.execute((ROOT / "deploy/readers.sql").read_bytes())
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("SET ROLE crm_reader")
            yield conn


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panels_query_runs_and_has_the_columns_it_is_drawn_from(
    reader: psycopg.Connection, panel: dict[str, Any]
) -> None:
    (target,) = panel["targets"]
    found = reader.execute(expanded(target["rawSql"]))  # type: ignore[arg-type]
    assert found.description
    names = [column.name for column in found.description]
    assert len(set(names)) == len(names)
    if panel["type"] == "timeseries":
        assert target["format"] == "time_series"
        assert names == ["time", "metric", "value"]
        assert all(isinstance(row[0], datetime) for row in found)
    elif panel["type"] == "stat":
        assert found.rowcount == len(names) == 1


@pytest.mark.parametrize(
    "title", ["Sales by day and store", "Collections by mode", "GST by month", "Orders not delivered"]
)
def test_what_was_sold_shows(reader: psycopg.Connection, title: str) -> None:
    (statement,) = [panel["targets"][0]["rawSql"] for panel in PANELS if panel["title"] == title]
    assert len(reader.execute(expanded(statement)).fetchall()) >= 3  # type: ignore[arg-type]


@pytest.mark.parametrize("variable", DASHBOARD["templating"]["list"], ids=lambda variable: variable["name"])
def test_a_variable_lists_what_can_be_chosen(reader: psycopg.Connection, variable: dict[str, Any]) -> None:
    assert reader.execute(expanded(variable["query"])).fetchall()  # type: ignore[arg-type]
    assert variable["multi"] and variable["includeAll"]


def test_each_panel_is_named_explained_and_stands_in_a_place_of_its_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS) >= 10
    assert all(panel["title"] and panel["description"].endswith(".") for panel in PANELS)
    taken = set[tuple[int, int]]()
    for place in (panel["gridPos"] for panel in PANELS):
        cells = {(place["x"] + at, place["y"] + down) for at in range(place["w"]) for down in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_it_reads_views_alone_and_leads_nowhere_else() -> None:
    text = json.dumps(DASHBOARD)
    assert "http" not in text
    assert set(re.findall(r"\b(?:FROM|JOIN) (\w+)", text)) <= set(re.findall(r"\bv_\w+", text))
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${DS_CRM}"}
    assert DASHBOARD["timezone"] == "Asia/Kolkata"


def test_the_examples_for_provisioning_hold_no_secret() -> None:
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasource.yaml").read_text(encoding="utf-8"))
    (one,) = source["datasources"]
    assert one["type"] == PANELS[0]["datasource"]["type"]
    assert one["secureJsonData"]["password"].startswith("$")
    assert yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards.yaml").read_text(encoding="utf-8"))[
        "providers"
    ]


@pytest.mark.parametrize("statement", BLOCKS)
def test_an_example_of_the_page_runs(reader: psycopg.Connection, statement: str) -> None:
    assert len(BLOCKS) == 3
    reader.execute(statement).fetchall()  # type: ignore[arg-type]
