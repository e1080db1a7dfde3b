"""Where Dagster keeps its own things."""

import os
from pathlib import Path

import pytest

from crm_assets.errors import ConfigurationError
from crm_assets.pipeline.instance import dagster_environment, dagster_home
from crm_assets.settings import PROJECT_ROOT
from crm_assets_tests.fixtures.dagster import Pipeline


def test_the_home_is_made_with_the_projects_settings(pipeline: Pipeline) -> None:
    home = pipeline.installation.home / ".local/dagster"
    assert os.environ["DAGSTER_HOME"] == str(home)
    assert (home / "dagster.yaml").samefile(PROJECT_ROOT / "dagster.yaml")


def test_dagsters_tables_live_in_a_schema_of_their_own(pipeline: Pipeline) -> None:
    schemas = {row["schemaname"] for row in pipeline.rows("SELECT * FROM pg_tables WHERE tablename = 'event_logs'")}
    assert schemas == {"dagster"}


def test_a_home_of_the_users_own_is_respected(pipeline: Pipeline, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    os.environ["DAGSTER_HOME"] = str(own)
    assert dagster_home(pipeline.settings) == own
    assert (own / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_a_link_into_a_checkout_that_has_moved_is_renewed(pipeline: Pipeline) -> None:
    link = pipeline.installation.home / ".local/dagster/dagster.yaml"
    link.unlink()
    link.symlink_to("/nowhere/dagster.yaml")
    dagster_home(pipeline.settings)
    assert link.samefile(PROJECT_ROOT / "dagster.yaml")


def test_a_folder_named_like_the_settings_is_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "odd/dagster.yaml").mkdir(parents=True)
    os.environ["DAGSTER_HOME"] = str(tmp_path / "odd")
    with pytest.raises(ConfigurationError, match=r"expected a dagster\.yaml"):
        dagster_home(pipeline.settings)


def test_every_dagster_process_gets_the_same_environment(pipeline: Pipeline) -> None:
    environ = dagster_environment(pipeline.settings)
    assert environ["CRM_DATABASE_URL"] == pipeline.url
    assert environ["CRM_DAGSTER_DATABASE_URL"].startswith("postgresql+psycopg2://")
    assert int(environ["DAGSTER_EVENT_BATCH_SIZE"]) > 1
    assert environ.items() <= os.environ.items()
