"""Migrations: bring a database to the tables this code expects, forward only.

The statements are in ``sql/``; yoyo-migrations applies them and remembers which. Nothing else creates or alters a lasting table,
save for the columns that a report gained (``columns.py``).
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg

from crm_assets.errors import WarehouseUnavailable
from crm_assets.model import Report
from crm_assets.settings import PROJECT_ROOT
from crm_assets.warehouse.columns import add_columns, lacking
from crm_assets.warehouse.connection import Connection, connect, conninfo, place

SQL_DIR = PROJECT_ROOT / "sql"


def migrate(url: str, reports: Iterable[Report] = ()) -> list[str]:
    """Apply what is pending, then add the columns that these reports gained; returns the names of both, oldest first.

    Two at once both end well: the second finds nothing to do.

    Raises WarehouseUnavailable when the server refuses, or the user may not create tables or the schema ``dagster``.
    """
    with connect(url) as conn, _alone(conn):
        try:
            # Asked for by hand: yoyo would swallow the refusal and then miss its own tables.
            conn.execute("CREATE TABLE may_we_create (); DROP TABLE may_we_create")
            if conn.execute("SELECT to_regnamespace('dagster')").fetchone() == (None,):
                conn.execute("CREATE SCHEMA dagster")
            return [*_apply(url), *add_columns(conn, reports)]
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidSchemaName) as error:
            raise WarehouseUnavailable(
                f"{place(url)}: {error}. This user must be able to create tables and the schema 'dagster': "
                "let an administrator run GRANT CREATE ON DATABASE and GRANT CREATE ON SCHEMA for it"
            ) from error


def require_current(conn: Connection, reports: Iterable[Report] = ()) -> None:
    """Raise WarehouseUnavailable, naming what is missing, unless all of ``sql/`` is applied and every column there."""
    try:
        applied = {row[0] for row in conn.execute("SELECT migration_id FROM _yoyo_migration")}
    except psycopg.errors.UndefinedTable:
        applied = set()
    missing = [path.stem for path in _files() if path.stem not in applied] or lacking(conn, reports)
    if missing:
        raise WarehouseUnavailable(
            f"database {conn.info.dbname!r} on {conn.info.host} lacks {len(missing)} of our migrations or columns: "
            f"{', '.join(missing)}. Run: crm_download migrate"
        )


def newest_migration() -> str:
    """The name of the last file of ``sql/``, upon which the next one depends."""
    return _files()[-1].stem


def next_migration(name: str) -> Path:
    """The file of ``sql/`` in which the next migration belongs."""
    return SQL_DIR / f"{int(newest_migration().split('_')[0]) + 1:04}_{name}.sql"


def _files() -> list[Path]:
    return sorted(SQL_DIR.glob("[0-9]*.sql"))


@contextmanager
def _alone(conn: Connection) -> Iterator[None]:
    """One migrating process per database; the lock falls with the connection, so a killed process leaves nothing behind."""
    conn.execute("SELECT pg_advisory_lock(hashtextextended('crm_assets:migrate', 0))")
    yield
    conn.execute("SELECT pg_advisory_unlock(hashtextextended('crm_assets:migrate', 0))")


def _apply(url: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from yoyo import get_backend, read_migrations

    backend = get_backend(_yoyo_url(url))
    with backend:
        # yoyo's own lock is a row in a table: while the advisory lock is ours, any such row is a killed process's.
        backend.break_lock()
        with backend.lock():
            pending = backend.to_apply(read_migrations(str(SQL_DIR)))
            backend.apply_migrations(pending)
    return [migration.id for migration in pending]


def _yoyo_url(url: str) -> str:
    """yoyo splits URLs in its own way; handed over as keywords, every form that libpq reads works."""
    parts = {name: str(value) for name, value in conninfo(url).items()}
    database = quote(parts.pop("dbname", ""), safe="")
    return f"postgresql+psycopg:///{database}?{urlencode(parts, quote_via=quote)}"
