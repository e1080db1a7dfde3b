"""Fixtures of this room only."""

from collections.abc import Iterator

import pytest

from crm_assets.digest.figures import Digest, Refreshed
from crm_assets.digest.reading import digest_of
from crm_assets.warehouse.connection import Connection, connect
from crm_assets_tests.digest.business import KIRTI, MADE_AT, STORES, TODAY, UTTAM, Business, done
from crm_assets_tests.fixtures.postgres import new_database


@pytest.fixture(scope="module")
def conn(postgres_url: str, migrated_template: str) -> Iterator[Connection]:
    """A connection to a database of this module's own."""
    with new_database(postgres_url, template=migrated_template) as url, connect(url) as connection:
        yield connection


@pytest.fixture(scope="module")
def business(conn: Connection) -> Business:
    return done(conn)


@pytest.fixture(scope="module")
def digest(conn: Connection, business: Business) -> Digest:
    """The digest of today, with one store that is late."""
    refreshed = [
        Refreshed(store=UTTAM, report="order_report", at=MADE_AT),
        Refreshed(store=KIRTI, report="order_report", at=None, warning="td/a817: expected a refresh"),
    ]
    return digest_of(conn, STORES, TODAY, MADE_AT, refreshed)
