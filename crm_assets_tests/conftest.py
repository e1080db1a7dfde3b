"""Loads the shared fixtures; each subject has its file under ``fixtures/``."""

import gc
import os
from pathlib import Path

import pytest

# Playwright's driver is seven megabytes of JavaScript, read anew by the node of every browser session; compiled once for all.
COMPILED_DRIVER = Path(__file__).resolve().parents[1] / ".local" / "node"

pytest_plugins = [
    "crm_assets_tests.fixtures.postgres",
    "crm_assets_tests.fixtures.sandbox",
    "crm_assets_tests.fixtures.dagster",  # it imports the two above, and pytest rewrites only what is not imported yet
    "crm_assets_tests.fixtures.command",  # the same
    "crm_assets_tests.fixtures.screen",
]

# Each takes a worker for minutes: what comes last is short, so that no worker waits for another's long file.
LONGEST_FIRST = (
    "test_demo.py",
    "test_stack.py",
    "cli/test_bootstrap.py",
    "test_cli.py",
    "test_account.py",
    "portals/other/test_tumbledry.py",
    "test_multi_crm_downloader.py",
    "mutants/test_mutants.py",
    "cli/test_sessions.py",
    "portals/tumbledry/test_export.py",
    "pipeline/test_launch.py",
    "documents/test_commands.py",
    "portals/uclean/test_export.py",
    "cli/test_secrets.py",
    "portals/third/test_recipe.py",
    "portals/other/test_uclean.py",
    "cli/test_files.py",
    "cli/test_refresh.py",
    "simulation/test_month.py",
    "workbook/test_memory.py",
)
TESTS = Path(__file__).resolve().parent


def pytest_configure() -> None:
    """Forget the terminal's width: a parallel worker is told it, and the commands under test would believe it."""
    os.environ.pop("COLUMNS", None)
    os.environ.setdefault("NODE_COMPILE_CACHE", str(COMPILED_DRIVER))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raises UsageError for a long file that was renamed or is gone."""
    place = {TESTS / name: at for at, name in enumerate(LONGEST_FIRST)}
    if absent := [str(path) for path in place if not path.exists()]:
        raise pytest.UsageError(f"expected the files of LONGEST_FIRST, found no {absent}. Mend the list in conftest.py")
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """What is imported stays to the end: no collection of garbage has to look at it again."""
    gc.freeze()
