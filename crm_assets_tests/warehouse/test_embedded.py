"""The embedded server, in processes of its own: started, joined, left, killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from crm_assets.errors import WarehouseUnavailable
from crm_assets.settings import load_settings
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.embedded import database_url, embedded_url, is_well
from crm_assets_tests.fixtures.postgres import in_memory

USER = """
import sys
from pathlib import Path
from crm_assets.warehouse.connection import connect
from crm_assets.warehouse.embedded import embedded_url
url = embedded_url(Path(sys.argv[1]))
with connect(url) as conn:
    conn.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
    print(url, flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the embedded server until it is told to leave, or killed."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", USER, str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[[Path], User]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for data folders; a server that a failed test left there is ended."""
    with tempfile.TemporaryDirectory(prefix="crm-pg-", dir=in_memory(), ignore_cleanup_errors=True) as name:
        yield Path(name)
        for pid_file in Path(name).rglob("postmaster.pid"):
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(int(pid_file.read_text().split()[0])).kill()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a user of a data folder; the test lets it leave, or it is killed."""
    users: list[User] = []

    def started(data_dir: Path) -> User:
        users.append(User(data_dir))
        return users[-1]

    yield started
    for user in users:
        user.kill()


def stopped(data_dir: Path) -> bool:
    return not (data_dir / "postmaster.pid").exists()


def test_the_last_process_stops_the_server_and_the_data_stay(folder: Path, start: Start) -> None:
    data = folder / "not" / "there" / "postgres"
    first = start(data)
    url = first.url()
    second = start(data)
    assert second.url() == url
    first.leave()
    with connect(url) as conn:
        conn.execute("INSERT INTO kept VALUES (1)")
    second.leave()
    assert stopped(data)
    third = start(data)
    with connect(third.url()) as conn:
        assert conn.execute("SELECT n FROM kept").fetchall() == [(1,)]
    third.leave()


def test_processes_that_start_at_once_share_one_server_and_neighbours_have_their_own(
    folder: Path, start: Start
) -> None:
    users = [start(folder / "one"), start(folder / "one"), start(folder / "two")]
    urls = [user.url() for user in users]
    assert urls[0] == urls[1] != urls[2]
    for user in users:
        user.leave()
    assert stopped(folder / "one")
    assert stopped(folder / "two")


def test_a_killed_process_does_not_keep_the_server_running(folder: Path, start: Start) -> None:
    killed = start(folder / "postgres")
    killed.url()
    killed.kill()
    other = start(folder / "postgres")
    other.url()
    other.leave()
    assert stopped(folder / "postgres")


def test_a_killed_server_is_noticed_and_comes_back_with_its_data_at_the_same_address(folder: Path) -> None:
    settings = load_settings({"CRM_LOCAL_DIR": str(folder)})
    assert not is_well(settings)
    url = database_url(settings)
    with connect(url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS n")
    assert is_well(settings)
    server = psutil.Process(int((folder / "postgres/postmaster.pid").read_text().split()[0]))
    server.kill()
    server.wait()
    assert not is_well(settings)
    assert database_url(settings) == url
    assert is_well(settings)
    with connect(url) as conn:
        assert conn.execute("SELECT n FROM kept").fetchall() == [(1,)]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with us."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_data_folder_left_by_a_killed_machine_starts_again(
    folder: Path, start: Start, stranger: subprocess.Popen[bytes]
) -> None:
    data = folder / "postgres"
    user = start(data)
    with connect(user.url()) as conn:
        conn.execute("INSERT INTO kept VALUES (1)")
    lines = (data / "postmaster.pid").read_text().splitlines()
    for process in (psutil.Process(int(lines[0])), *psutil.Process(int(lines[0])).children()):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    user.kill()
    # After a reboot the old numbers belong to strangers.
    (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    (data / ".handle_pids.json").write_text(json.dumps([stranger.pid]))
    os.utime(data / ".handle_pids.json", (1, 1))
    again = start(data)
    with connect(again.url()) as conn:
        assert conn.execute("SELECT n FROM kept").fetchall() == [(1,)]
    again.leave()
    assert stopped(data)
    assert stranger.poll() is None, "it was left alone"


def test_a_folder_too_deep_for_a_socket_works_and_its_socket_is_closed_to_others(folder: Path, start: Start) -> None:
    user = start(folder / ("deep" * 20) / ("deeper" * 10) / "postgres")
    with connect(user.url()) as conn:
        sockets = Path(conn.info.host)
    assert sockets.parent.name == f"crm_assets-{os.getuid()}"
    assert sockets.stat().st_mode & 0o077 == 0
    user.leave()


def test_a_folder_that_cannot_be_used_is_named(folder: Path) -> None:
    (folder / "postgres").write_text("not a folder")
    with pytest.raises(WarehouseUnavailable, match=f"{folder / 'postgres'} does not start.*set CRM_DATABASE_URL"):
        embedded_url(folder / "postgres")


def test_a_configured_database_is_used_and_no_server_started(folder: Path) -> None:
    url = "postgresql://crm:secret@db.internal:5432/crm"
    settings = load_settings({"CRM_DATABASE_URL": url, "CRM_LOCAL_DIR": str(folder)})
    assert database_url(settings) == url
    assert is_well(settings), "it is not ours to start"
    assert list(folder.iterdir()) == []
