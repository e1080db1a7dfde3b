"""Fixtures of this room only; whole installations are in ``crm_assets_tests/fixtures/dagster.py``."""

from pathlib import Path

import pytest

from crm_assets_tests.pipeline.desk import Desk


@pytest.fixture
def desk(warehouse: str, tmp_path: Path) -> Desk:
    """A new, migrated database, and nothing on the desk yet."""
    return Desk(url=warehouse, folder=tmp_path)
