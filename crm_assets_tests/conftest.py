"""Loads the shared fixtures; each subject has its file under ``fixtures/``."""

import os

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
