"""Fixtures of this room only; the servers are in ``crm_assets_tests/fixtures/postgres.py``."""

from collections.abc import Iterator

import pytest

from crm_assets.warehouse.connection import Connection, connect
from crm_assets_tests.fixtures.postgres import new_database


@pytest.fixture
def conn(warehouse: str) -> Iterator[Connection]:
    """A connection to a new, migrated database."""
    with connect(warehouse) as connection:
        yield connection


@pytest.fixture(scope="module")
def url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database that the tests of a module share, one after the other: to make one takes longer than most of them."""
    with new_database(postgres_url, template=migrated_template) as url:
        yield url
