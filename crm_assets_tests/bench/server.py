"""The benches' own PostgreSQL: embedded, kept between them, and too hurried for anything that should last."""

import psycopg

from crm_assets.settings import PROJECT_ROOT
from crm_assets.warehouse.embedded import embedded_url


def bench_server() -> str:
    """An embedded server of the benches' own, which ends with this process."""
    url = embedded_url(PROJECT_ROOT / ".local" / "bench" / "postgres")
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET fsync = off")  # what a crash would lose is thrown away anyway
        conn.execute("SELECT pg_reload_conf()")
    return url
