"""Loads the shared fixtures; each subject has its file under ``fixtures/``."""

import gc
import os
from pathlib import Path

# Playwright's driver is seven megabytes of JavaScript, read anew by the node of every browser session; compiled once for all.
COMPILED_DRIVER = Path(__file__).resolve().parents[1] / ".local" / "node"

pytest_plugins = [
    "crm_assets_tests.fixtures.postgres",
    "crm_assets_tests.fixtures.sandbox",
    "crm_assets_tests.fixtures.dagster",  # it imports the two above, and pytest rewrites only what is not imported yet
    "crm_assets_tests.fixtures.command",  # the same
    "crm_assets_tests.fixtures.screen",
]


def pytest_configure() -> None:
    """Forget the terminal's width: a parallel worker is told it, and the commands under test would believe it."""
    os.environ.pop("COLUMNS", None)
    os.environ.setdefault("NODE_COMPILE_CACHE", str(COMPILED_DRIVER))


def pytest_collection_finish() -> None:
    """What is imported stays to the end: no collection of garbage has to look at it again."""
    gc.freeze()
