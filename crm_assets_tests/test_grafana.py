"""The dashboard and the examples for BI tools: every query runs, in the readers' role, on a filled warehouse."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
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
FROM, TO = "'2025-08-01T00:00:00Z'", "'2025-12-01T00:00:00Z'"
MACRO = re.compile(r"\$(__\w+)\(([^)]*)\)")
"""What Grafana takes for a macro: its argument ends at the first bracket."""


def expanded(statement: str) -> str:
    """The query as Grafana sends it, with every CRM and store chosen."""
    statement = statement.replace("${crm:sqlstring}", "'td','uc'").replace(
        "${store:sqlstring}", "'a668','a817','sector56'"
    )
    statement = MACRO.sub(_macro, statement)
    assert "$" not in statement, statement
    return statement


def _macro(found: re.Match[str]) -> str:
    written = {"__timeFilter": f"{found[2]} BETWEEN {FROM} AND {TO}", "__timeFrom": FROM, "__timeTo": TO}
    return written[found[1]]


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
        rows = found.fetchall()
        assert all(isinstance(time, datetime) and isinstance(value, Decimal | int) for time, _, value in rows)
        assert rows == sorted(rows, key=lambda row: row[0])
    elif panel["type"] == "stat":
        ((figure,),) = found.fetchall()
        assert isinstance(figure, Decimal | int)
    else:
        assert (panel["type"], target["format"]) == ("table", "table")
        dressed = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert dressed <= set(names)


@pytest.mark.parametrize(
    "title",
    [
        "Sales by day and store",
        "Collections by mode",
        "Orders not delivered",
        "Unpaid by age",
        "GST by month",
        "How fresh it is",
        "Rows by day",
    ],
)
def test_what_was_loaded_shows(reader: psycopg.Connection, title: str) -> None:
    (statement,) = [panel["targets"][0]["rawSql"] for panel in PANELS if panel["title"] == title]
    assert len(reader.execute(expanded(statement)).fetchall()) >= 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "first", "last"),
    [
        ("Sales today", "2025-11-24", "2025-11-24"),
        ("Month to date", "2025-11-01", "2025-11-24"),
        ("Last month to the same day", "2025-10-01", "2025-10-24"),
    ],
)
def test_a_figure_is_that_of_its_days_in_kolkata(reader: psycopg.Connection, title: str, first: str, last: str) -> None:
    """Asked for an hour after midnight in Kolkata, while it is still the day before in London."""
    (statement,) = [panel["targets"][0]["rawSql"] for panel in PANELS if panel["title"] == title]
    asked = expanded(statement).replace("now()", "timestamptz '2025-11-24 01:00+05:30'")
    expected = reader.execute(
        "SELECT sum(order_amount) FROM v_daily_sales WHERE business_day BETWEEN %s AND %s", [first, last]
    ).fetchall()
    assert reader.execute(asked).fetchall() == expected  # type: ignore[arg-type]
    assert expected[0][0] > 0


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
    assert reader.execute(statement).description  # type: ignore[arg-type]


def test_the_pages_table_names_every_view_that_the_role_may_read(reader: psycopg.Connection) -> None:
    page = (ROOT / "docs/bi.md").read_text(encoding="utf-8")
    table = page.split("## Which view answers what")[1].split("\n## ")[0]
    readable = reader.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relname ~ '^v_' AND has_table_privilege(oid, 'SELECT')"
    )
    assert set(re.findall(r"`(v_\w+)`", table)) == {name for (name,) in readable}


def test_the_copy_for_grafanas_own_files_names_the_data_source_that_is_set_up() -> None:
    (command,) = re.findall(
        r"^#     (sed .*) > /etc", (ROOT / "deploy/grafana/provisioning/dashboards.yaml").read_text(), re.MULTILINE
    )
    made = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasource.yaml").read_text(encoding="utf-8"))
    named = {panel["datasource"]["uid"] for panel in json.loads(made)["panels"]}
    assert named == {source["datasources"][0]["uid"]}
    assert "${DS_CRM}" not in made
