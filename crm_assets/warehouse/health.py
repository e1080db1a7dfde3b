"""The server's health, asked and not judged: version, migrations, rights, room for connections, its clock.

What is good enough belongs to ``crm_assets.doctor``.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.migrate import SQL_DIR


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One look at a server. ``version`` is ``server_version_num`` (180001), ``schema`` None when the search path leads nowhere.

    ``dagster_schema`` tells whether the schema is there, ``dagster_rights`` whether we may make it or make tables in it.
    ``closed_tables`` are those of ours that we may not read and write; ``free_connections`` those left for plain users.
    """

    version: int
    database: str
    schema: str | None
    read_only: bool
    table_rights: bool
    closed_tables: list[str]
    dagster_schema: bool
    dagster_rights: bool
    free_connections: int
    clock: datetime

    @property
    def missing_grants(self) -> list[str]:
        """The statements that give what is missing; an administrator puts the user's name in."""
        user, grants = sql.SQL("<the user of CRM_DATABASE_URL>"), []
        on_schema = sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {}")
        if not self.table_rights:
            grants.append(on_schema.format(sql.Identifier(self.schema or "public"), user))
        if self.closed_tables:
            on_tables = sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO {}")
            grants.append(on_tables.format(sql.Identifier(self.schema or "public"), user))
        if self.dagster_schema and not self.dagster_rights:
            grants.append(on_schema.format(sql.Identifier("dagster"), user))
        if not self.dagster_schema and not self.dagster_rights:
            grants.append(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(self.database), user))
        return [grant.as_string() for grant in grants]


HEALTH = """
    SELECT current_setting('server_version_num')::integer AS version,
        current_database()::text AS database,
        current_schema()::text AS schema,
        pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS table_rights,
        ARRAY(
            SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() AND tablename IN
                ('_yoyo_migration', 'alert', 'download_ledger', 'ingest_audit', 'rejected_rows', 'store_session')
                AND EXISTS (
                    SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed (right_)
                    WHERE NOT has_table_privilege(format('%I.%I', schemaname, tablename), right_)
                )
            ORDER BY 1
        ) AS closed_tables,
        dagster.oid IS NOT NULL AS dagster_schema,
        CASE WHEN dagster.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
            ELSE has_schema_privilege(dagster.oid, 'USAGE') AND has_schema_privilege(dagster.oid, 'CREATE')
        END AS dagster_rights,
        -- pg_stat_activity would hide from a plain user what the others' connections are
        (current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
            - coalesce(current_setting('reserved_connections', true)::integer, 0)
            - (SELECT sum(numbackends) FROM pg_stat_database))::integer AS free_connections,
        clock_timestamp() AS clock
    FROM (SELECT to_regnamespace('dagster')::oid AS oid) AS dagster
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """Which migrations are applied, by name: ``pending`` has only this code, ``unknown`` has only the database."""

    applied: int
    pending: list[str]
    unknown: list[str]


def health(conn: Connection) -> Health:
    """Ask the server, in one statement."""
    with conn.cursor(row_factory=class_row(Health)) as cursor:
        found = cursor.execute(HEALTH).fetchone()
    assert found is not None  # noqa: S101 - a query over one row returns one row
    return found


def migrations(conn: Connection) -> Migrations:
    """Compare what is applied with ``sql/``, where yoyo's table is open to us."""
    known = [path.stem for path in sorted(SQL_DIR.glob("[0-9]*.sql"))]
    try:
        applied = {str(row[0]) for row in conn.execute("SELECT migration_id FROM _yoyo_migration")}
    except psycopg.errors.UndefinedTable:
        applied = set()
    return Migrations(
        applied=len(applied),
        pending=[name for name in known if name not in applied],
        unknown=sorted(applied - set(known)),
    )
