"""Loads the shared fixtures; each subject has its file under ``fixtures/``."""

pytest_plugins = ["crm_assets_tests.fixtures.postgres", "crm_assets_tests.fixtures.sandbox"]
