"""The processes of an installation: Dagster's webserver and daemon, started together, kept running, ended together.

They are started here and not from a shell: a shell's background jobs ignore the signals that end them, and a daemon that goes on
after its webserver runs stale code. Whatever ends by itself, hangs, or loses its embedded database comes back without a person.
What the processes do belongs to ``pipeline``; that this process itself comes back, to ``deploy/crm_assets.service``.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from crm_assets.errors import ConfigurationError, WarehouseUnavailable
from crm_assets.logs import log
from crm_assets.settings import PROJECT_ROOT, Settings
from crm_assets.warehouse import embedded

START_SECONDS = 120
END_SECONDS = 20
ANSWER_SECONDS = 5
LOG_BYTES = 20 * 1024 * 1024
DAEMON, WEBSERVER = "dagster-daemon", "dagster-webserver"

HEARTBEATS = "{ instance { daemonHealth { allDaemonStatuses { required lastHeartbeatTime } } } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the stack waits, in seconds.

    Before something that ended is started again: ``first_pause``, then twice as long each time up to ``longest_pause``, and from
    the beginning again for what ran well for ``well_after``. Between two looks at the embedded database: ``look_every``; at signs
    of life: ``ask_every``. A process that shows none for ``stuck_after`` is ended, to be started again.
    """

    first_pause: float = 1
    longest_pause: float = 60
    well_after: float = 300
    look_every: float = 2
    ask_every: float = 30
    stuck_after: float = 300

    def next_pause(self, last: float | None, ran_for: float) -> float:
        """The pause after this many seconds of running; ``last`` is the pause before them."""
        return self.first_pause if last is None or ran_for >= self.well_after else min(2 * last, self.longest_pause)


@dataclass(slots=True, kw_only=True)
class Stack:
    """The running processes by name, how each is started, and where the UI is."""

    url: str
    log_dir: Path
    patience: Patience
    commands: Mapping[str, Sequence[str]]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ending: threading.Event = field(default_factory=threading.Event)
    starting: threading.Lock = field(default_factory=threading.Lock)
    keepers: list[Future[None]] = field(default_factory=list)

    def wait(self) -> None:
        """Wait for an end that cannot be mended, and raise what it was. Processes that end are no such thing."""
        for keeper in wait_for(self.keepers, return_when=FIRST_COMPLETED).done:
            keeper.result()

    def log_file(self, name: str) -> Path:
        return self.log_dir / f"{name}.log"

    def raise_if_ended(self) -> None:
        """Raise ConfigurationError for a process that has ended, naming it and its log."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise ConfigurationError(
                    f"{name} ended with exit code {process.returncode}. Its log: {self.log_file(name)}"
                )


@contextmanager
def running(settings: Settings, *, host: str, port: int | None, patience: Patience | None = None) -> Iterator[Stack]:
    """Webserver and daemon for this environment (see ``pipeline.instance``), until the block ends. No port: a free one.

    Raises ConfigurationError when the port is taken, or one does not come up. What ends later is started again.
    """
    log_dir = settings.local_dir / "log"
    log_dir.mkdir(parents=True, exist_ok=True)
    own_port = str(_own_port(host, port or 0))
    workspace = ("-w", str(PROJECT_ROOT / "workspace.yaml"))
    stack = Stack(
        url=f"http://{host}:{own_port}",
        log_dir=log_dir,
        patience=patience or Patience(),
        commands={DAEMON: ("run", *workspace), WEBSERVER: (*workspace, "-h", host, "-p", own_port)},
    )
    with ThreadPoolExecutor(thread_name_prefix="stack") as threads:
        try:
            for name in stack.commands:
                _start(stack, name)
            _wait_until_it_answers(stack)
            stack.keepers += [threads.submit(_keep_running, stack, name) for name in stack.commands]
            stack.keepers += [threads.submit(_keep_database, stack, settings), threads.submit(_keep_lively, stack)]
            yield stack
        finally:
            with stack.starting:
                stack.ending.set()
            _end(stack.processes.values())


def until_ended() -> None:
    """Wait for the signal that ends the process (see ``ended_by_signals``)."""
    threading.Event().wait()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGINT both leave the block as KeyboardInterrupt, so that everything started is ended."""

    def leave(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(stack: Stack, name: str) -> None:
    """Start one of Dagster's commands from this environment, in a process group of its own."""
    _keep_small(stack.log_file(name))
    with stack.log_file(name).open("ab") as output:
        stack.processes[name] = subprocess.Popen(
            [str(Path(sys.executable).with_name(name)), *stack.commands[name]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _keep_running(stack: Stack, name: str) -> None:
    """Start the process again whenever it has ended, until the stack ends."""
    pause = None
    while True:
        since, process = time.monotonic(), stack.processes[name]
        code = process.wait()
        if stack.ending.is_set():
            return
        _kill_group(process)  # its code server and runs: they would go on with stale code, unseen by the next daemon
        pause = stack.patience.next_pause(pause, time.monotonic() - since)
        log.warning(
            "%s ended with exit code %s; it is started again in %g s. Its log: %s",
            *(name, code, pause, stack.log_file(name)),
        )
        stack.ending.wait(pause)
        _start_again(stack, name)


def _start_again(stack: Stack, name: str) -> None:
    """Start the process unless the stack is ending. A machine without room to start it has some again later."""
    with stack.starting:
        if stack.ending.is_set():
            return
        try:
            _start(stack, name)
        except OSError as error:
            log.error("%s cannot be started: %s", name, error)


def _keep_database(stack: Stack, settings: Settings) -> None:
    """Start the embedded database again whenever it is gone, until the stack ends.

    It is no child of ours, so its end cannot be waited for. Dagster's processes outlive its absence, and find it at the same URL.
    """
    pause, since = None, time.monotonic()
    while not stack.ending.wait(stack.patience.look_every):
        if embedded.is_well(settings):
            continue
        pause = stack.patience.next_pause(pause, time.monotonic() - since)
        log.warning("the embedded PostgreSQL ended; it is started again in %g s", pause)
        if stack.ending.wait(pause):
            return
        try:
            embedded.database_url(settings)
        except WarehouseUnavailable as error:
            log.error("%s", error)
        since = time.monotonic()


def _keep_lively(stack: Stack) -> None:
    """End what shows no sign of life, for ``_keep_running`` to start it again, and keep the logs from filling the disk."""
    signs, since = dict[str, object](), dict[str, float]()
    while not stack.ending.wait(stack.patience.ask_every):
        for name in stack.commands:
            _keep_small(stack.log_file(name))
            process, sign = stack.processes[name], _sign_of_life(stack, name)
            if signs.get(name) != (process.pid, sign):
                signs[name], since[name] = (process.pid, sign), time.monotonic()
            elif time.monotonic() - since[name] > stack.patience.stuck_after:
                log.warning("%s shows no sign of life for %g s and is ended", name, stack.patience.stuck_after)
                _kill_group(process)


def _sign_of_life(stack: Stack, name: str) -> float:
    """Something that changes as long as the process lives, or as long as nobody can tell.

    The webserver's is its answer while it has a code server, which it never replaces: without one it shows everything and
    launches nothing. The daemon, which does replace its own, has the latest heartbeat of the quietest of its threads; they beat
    twice a minute, and cannot be known while webserver or database are away.
    """
    now = time.monotonic()
    try:
        if name == WEBSERVER:
            _asked(f"{stack.url}/server_info")
            return now if psutil.Process(stack.processes[name].pid).children() else 0
        health = _asked(f"{stack.url}/graphql", query=HEARTBEATS)["data"]["instance"]["daemonHealth"]
        beats = [each["lastHeartbeatTime"] or 0 for each in health["allDaemonStatuses"] if each["required"]]
        return float(min(beats, default=now))
    except (OSError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        return 0 if name == WEBSERVER else now


def _wait_until_it_answers(stack: Stack) -> None:
    """Wait for the webserver; it has no other way to say that it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        stack.raise_if_ended()
        try:
            _asked(f"{stack.url}/server_info")
        except (OSError, ValueError):
            stack.ending.wait(0.2)
        else:
            return
    raise ConfigurationError(
        f"dagster-webserver did not come up within {START_SECONDS} s. Its log: {stack.log_file(WEBSERVER)}"
    )


def _asked(url: str, **body: str) -> Any:
    """The JSON that the webserver answers to JSON. Raises OSError or ValueError when it does not; no proxy is asked."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310 - our own http
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=ANSWER_SECONDS
        ) as answer:
            return json.load(answer)
    except http.client.HTTPException as error:  # it ended in the middle of its answer
        raise ConnectionError(str(error)) from error


def _keep_small(log_file: Path) -> None:
    """Move a long log's text to ``.1``. The file itself stays: the process that writes to it has it open, to append."""
    if not log_file.exists() or log_file.stat().st_size <= LOG_BYTES:
        return
    try:
        shutil.copyfile(log_file, log_file.with_suffix(".log.1"))
    except OSError as error:
        log.error("%s is emptied without a copy: %s", log_file, error)
    os.truncate(log_file, 0)


def _end(processes: Collection[subprocess.Popen[bytes]]) -> None:
    """Ask the processes to end; whatever is left of their groups afterwards is ended without asking."""
    for process in processes:
        process.terminate()
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=END_SECONDS)
        _kill_group(process)
        process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _own_port(host: str, port: int) -> int:
    """The wanted port, or for 0 a free one. Raises ConfigurationError when it is taken: its holder would answer for ours."""
    try:
        with socket.create_server((host, port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise ConfigurationError(
            f"port {port} on {host} is taken or may not be used ({error.strerror}). Give another one: --port"
        ) from None
