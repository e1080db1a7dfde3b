"""The recipe "Add a portal", followed word by word in a copy of the project: its files written, its commands run."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from crm_assets.sandbox import Sandbox
from crm_assets_tests.fixtures.command import COMMAND, Checkout, new_checkout
from crm_assets_tests.fixtures.dagster import at_this_moment
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.portals.third.freshfold import PASSWORD, Freshfold, freshfold

ROOT = Path(__file__).resolve().parents[3]
RECIPE = (ROOT / "docs" / "add-a-portal.md").read_text(encoding="utf-8")
PLACEHOLDER = "https://panel.freshfold.example"
FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```", RECIPE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^```sh\n(crm_download .*?)^```", RECIPE, re.MULTILINE | re.DOTALL)
ASSETS = """
import json
from crm_assets.pipeline.compose import compose
from crm_assets.settings import load_settings
definitions = compose(load_settings()).get_repository_def()
print(json.dumps([
    sorted(key.to_user_string() for key in definitions.asset_graph.get_all_asset_keys()),
    sorted(sensor.name for sensor in definitions.sensor_defs),
]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A checkout in which the recipe's files stand; ``url`` is its database."""

    checkout: Checkout
    portal: Freshfold
    url: str

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environ = self.checkout.environ | {
            "CRM_DATABASE_URL": self.url,
            "PATH": f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}",
        }
        return subprocess.run(
            command, cwd=self.checkout.folder, env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    def shell(self, block: str) -> subprocess.CompletedProcess[str]:
        return self.run("bash", "-e", "-c", block)

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as conn:
            return conn.execute(statement).fetchall()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def followed(postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """Steps 1 to 7. The other two CRMs are the sandbox's, so that no command asks for anything but loopback."""
    checkout = new_checkout(Path(tmp_path_factory.mktemp("third")))
    with (
        freshfold() as portal,
        Sandbox(None, at_this_moment()) as sandbox,
        new_database(postgres_url, template=dagster_template) as url,
    ):
        (checkout.folder / "stores.yaml").write_text(sandbox.stores_yaml(), encoding="utf-8")
        for name, text in FILES.items():
            file = checkout.folder / name
            file.parent.mkdir(exist_ok=True)
            with file.open("a", encoding="utf-8") as beside:  # what is there already stays
                beside.write(text.replace(PLACEHOLDER, portal.url) if name == "stores.yaml" else text)
        yield Followed(checkout=checkout, portal=portal, url=url)


@pytest.fixture(scope="module")
def made(followed: Followed) -> subprocess.CompletedProcess[str]:
    """Steps 8 and 9, each block of commands in one shell."""
    *tables, tried = COMMANDS
    for block in tables:
        done = followed.shell(block)
        assert done.returncode == 0, done.stderr
    download = tried[tried.index("crm_download download") :]
    doctor = followed.shell(tried.removesuffix(download))
    assert "td/a668" in doctor.stdout
    return followed.shell(download)


def test_the_recipe_has_files_and_commands() -> None:
    folder = "crm_assets/portals/freshfold"
    names = ("__init__", "export", "login", "pages", "reports", "site")
    assert set(FILES) == {*(f"{folder}/{name}.py" for name in names), "stores.yaml", ".env"}
    assert len(COMMANDS) == 2


def test_the_third_portal_downloads_and_loads(followed: Followed, made: subprocess.CompletedProcess[str]) -> None:
    assert made.returncode == 0, made.stderr
    assert followed.portal.logins == [True]
    assert followed.ask("SELECT store, invoice_number, amount::text FROM fact_ff_sales ORDER BY invoice_number") == [
        ("s1", "F-102", "250.00"),
        ("s1", "F-103", "120.00"),
    ]
    assert followed.ask("SELECT status, claimed_rows, strategy FROM download_ledger") == [
        ("ingested", 2, "export_link")
    ]
    assert followed.ask("SELECT business_day::text, row_count FROM staging_slice ORDER BY 1") == [
        ("2025-11-12", 2),
        ("2025-11-13", 0),
    ]


def test_it_shows_up_in_dagster_with_no_other_edit(followed: Followed) -> None:
    shown = followed.run(sys.executable, "-c", ASSETS)
    assert shown.returncode == 0, shown.stderr
    assets, sensors = json.loads(shown.stdout)
    assert {"ff_sales_xlsx", "stg_ff_sales", "fact_ff_sales"} < set(assets)
    assert {"ff_refresh", "ff_settling", "ff_catch_up"} < set(sensors)


def test_an_empty_day_is_proven_and_a_wrong_password_needs_a_person(
    followed: Followed, made: subprocess.CompletedProcess[str]
) -> None:
    empty = followed.shell("crm_download download --crm ff --store s1 --from 2025-11-13 --to 2025-11-13")
    assert empty.returncode == 0, empty.stderr
    (followed.checkout.folder / ".env").write_text(FILES[".env"].replace(PASSWORD, "another"), encoding="utf-8")
    shutil.rmtree(followed.checkout.folder / "profiles")
    refused = followed.shell("crm_download download --crm ff --store s1 --from 2025-11-13 --to 2025-11-13")
    assert refused.returncode == 3
    assert "LoginRejected" in refused.stdout
    assert "crm_download bootstrap --crm ff --store s1" in refused.stdout


def test_what_the_recipe_writes_passes_the_quick_gate(followed: Followed) -> None:
    for part in ("pyproject.toml", ".importlinter"):
        shutil.copy(ROOT / part, followed.checkout.folder)
    rules = followed.checkout.folder / ".importlinter"
    text, beside = rules.read_text(encoding="utf-8"), "(crm_assets.portals.uclean)"
    rules.write_text(text.replace(beside, f"{beside} | (crm_assets.portals.freshfold)"), encoding="utf-8")
    for gate in (
        "ruff check crm_assets/portals/freshfold",
        "ruff format --check crm_assets/portals/freshfold",
        "lint-imports",
    ):
        done = followed.shell(gate)
        assert done.returncode == 0, done.stdout
