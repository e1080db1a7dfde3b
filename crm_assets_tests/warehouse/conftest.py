"""Fixtures of this room only; the servers are in ``crm_assets_tests/fixtures/postgres.py``."""

from collections.abc import Iterator

import pytest

from crm_assets.warehouse.connection import Connection, connect


@pytest.fixture
def conn(warehouse: str) -> Iterator[Connection]:
    """A connection to a new, migrated database."""
    with connect(warehouse) as connection:
        yield connection
