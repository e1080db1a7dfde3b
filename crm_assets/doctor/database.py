"""The database: reachable, of a known version, migrated, with the rights, the room and the time that runs need.

The questions themselves stand in ``warehouse.health``.
"""

from dataclasses import dataclass
from datetime import datetime

from crm_assets.doctor.findings import Finding, green, of_error, red, yellow
from crm_assets.errors import ConfigurationError, WarehouseUnavailable
from crm_assets.model import Account, Clock
from crm_assets.settings import Settings
from crm_assets.warehouse.connection import connect, conninfo, place, set_session
from crm_assets.warehouse.embedded import database_url
from crm_assets.warehouse.health import Health, Migrations, health, migrations
from crm_assets.warehouse.sessions import accounts

SUBJECT = "database"
OLDEST, NEWEST = 14, 18
FEW_CONNECTIONS = 20
"""A run of four stores holds about a dozen at once: the accounts' locks, the loads and Dagster's own."""

CLOCK_SECONDS = 5
LIMITS = {"statement_timeout": "5s", "lock_timeout": "5s"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLook:
    """What was found, and what others build on: the accounts (None when they cannot be read), whether Dagster has its schema."""

    findings: list[Finding]
    accounts: list[Account] | None = None
    reached: bool = False
    dagster_schema: bool = False


def look_at_database(settings: Settings, clock: Clock) -> DatabaseLook:
    """Ask the configured server, or start the embedded one: that it starts is what there is to know of it."""
    try:
        url = database_url(settings)
        where = place(url)
    except (ConfigurationError, WarehouseUnavailable) as error:
        return DatabaseLook(findings=[of_error(SUBJECT, "connection", error)])
    try:
        with connect(url) as conn:
            set_session(conn, LIMITS)
            before = clock()
            asked = health(conn)
            skew = asked.clock - (before + (clock() - before) / 2)
            applied = None if asked.closed_tables else migrations(conn)
            known = accounts(conn) if applied and not (applied.pending or applied.unknown) else None
    except WarehouseUnavailable as error:
        return DatabaseLook(findings=[_without_user(url, of_error(SUBJECT, "connection", error))])
    return DatabaseLook(
        findings=[
            green(SUBJECT, "connection", f"reached {where}"),
            version(asked.version),
            *([pending(applied)] if applied else []),
            rights(asked),
            connections(asked.free_connections),
            clock_skew(skew.total_seconds(), asked.clock),
        ],
        accounts=known,
        reached=True,
        dagster_schema=asked.dagster_schema,
    )


def version(number: int) -> Finding:
    """``server_version_num`` against what this project is tested with."""
    major = number // 10_000
    if major < OLDEST:
        return red(SUBJECT, "version", f"PostgreSQL {major} is too old", f"Move to PostgreSQL {OLDEST} to {NEWEST}")
    if major > NEWEST:
        return yellow(
            SUBJECT,
            "version",
            f"PostgreSQL {major} is newer than what this version was tested with ({OLDEST} to {NEWEST})",
            "Update crm_assets, or watch the first runs",
        )
    return green(SUBJECT, "version", f"PostgreSQL {major}")


def pending(found: Migrations) -> Finding:
    """Whether code and tables fit. A database that is ahead belongs to a newer version, which this one would disturb."""
    if found.unknown:
        return red(
            SUBJECT,
            "migrations",
            f"the database is newer than this code: {', '.join(found.unknown)}",
            "Update crm_assets to the version that made them",
        )
    if found.pending:
        return yellow(
            SUBJECT, "migrations", f"not yet applied: {', '.join(found.pending)}", "Run: crm_download migrate"
        )
    return green(SUBJECT, "migrations", f"all {found.applied} are applied")


def rights(found: Health) -> Finding:
    """Whether this user may write, make tables, and has Dagster's schema or may make it."""
    if found.read_only:
        return red(
            SUBJECT,
            "permissions",
            "the server is read-only",
            "Let CRM_DATABASE_URL lead to the primary, to be written to",
        )
    if found.schema is None:
        return red(
            SUBJECT, "permissions", "the search path leads to no schema", "Make the schema, or mend CRM_DATABASE_URL"
        )
    if found.missing_grants:
        return red(
            SUBJECT,
            "permissions",
            "this user may not do what runs do with the tables of this project and of Dagster",
            f"Let an administrator run: {'; '.join(found.missing_grants)}",
        )
    return green(SUBJECT, "permissions", f"may make tables in the schemas {found.schema} and dagster")


def connections(free: int) -> Finding:
    """Whether there is room for a run of several stores beside Dagster."""
    if free < FEW_CONNECTIONS:
        return yellow(
            SUBJECT,
            "connections",
            f"{free} connections are free",
            "See who holds them (pg_stat_activity), or raise the server's max_connections",
        )
    return green(SUBJECT, "connections", f"{free} connections are free")


def clock_skew(seconds: float, theirs: datetime) -> Finding:
    """How far the server's clock is ahead of this machine's."""
    if abs(seconds) > CLOCK_SECONDS:
        return yellow(
            SUBJECT,
            "clock",
            f"the server's clock differs from this machine's by {abs(seconds):.0f} s; it says {theirs:%Y-%m-%d %H:%M:%S %z}",
            "Set both clocks by NTP: the times in the tables come from both",
        )
    return green(SUBJECT, "clock", "the server's clock is this machine's")


def _without_user(url: str, finding: Finding) -> Finding:
    """PostgreSQL names the user it refuses."""
    user = conninfo(url).get("user")
    told = finding.found.replace(f'user "{user}"', "this user").replace(f'role "{user}"', "this role")
    return red(finding.subject, finding.name, told, finding.next_step)
