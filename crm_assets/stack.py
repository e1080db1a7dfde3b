"""The processes of an installation: Dagster's webserver and daemon, started together and ended together.

They are started here and not from a shell: a shell's background jobs ignore the signals that end them, and a daemon that goes on
after its webserver runs stale code. What they do belongs to ``pipeline``.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crm_assets.errors import ConfigurationError
from crm_assets.settings import PROJECT_ROOT, Settings

START_SECONDS = 120
END_SECONDS = 20


@dataclass(slots=True, kw_only=True)
class Stack:
    """The running processes by name, and where the UI is."""

    url: str
    log_dir: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Wait for a process that ends by itself, which none should, and raise ConfigurationError naming it and its log."""
        self.ended.wait()
        self.raise_if_ended()

    def raise_if_ended(self) -> None:
        """Raise ConfigurationError for a process that has ended, naming it and its log."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise ConfigurationError(
                    f"{name} ended with exit code {process.returncode}. Its log: {self.log_dir / f'{name}.log'}"
                )


@contextmanager
def running(settings: Settings, *, host: str, port: int | None) -> Iterator[Stack]:
    """Webserver and daemon for this environment (see ``pipeline.instance``), until the block ends. No port: a free one.

    Raises ConfigurationError when the port is taken, or one does not come up.
    """
    log_dir = settings.local_dir / "log"
    log_dir.mkdir(parents=True, exist_ok=True)
    stack = Stack(url=f"http://{host}:{_own_port(host, port or 0)}", log_dir=log_dir)
    workspace = ("-w", str(PROJECT_ROOT / "workspace.yaml"))
    try:
        _start(stack, "dagster-daemon", "run", *workspace)
        _start(stack, "dagster-webserver", *workspace, "-h", host, "-p", stack.url.rsplit(":", 1)[1])
        _wait_until_it_answers(stack)
        yield stack
    finally:
        for process in stack.processes.values():
            _end(process)


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


def _start(stack: Stack, name: str, *arguments: str) -> None:
    """Start one of Dagster's commands from this environment, in a process group of its own."""
    with (stack.log_dir / f"{name}.log").open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(name)), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stack.processes[name] = process
    threading.Thread(target=_tell_end, args=(stack, process), daemon=True).start()


def _tell_end(stack: Stack, process: subprocess.Popen[bytes]) -> None:
    process.wait()
    stack.ended.set()


def _wait_until_it_answers(stack: Stack) -> None:
    """Wait for the webserver; it has no other way to say that it listens."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not stack.ended.is_set():
        try:
            with urllib.request.urlopen(f"{stack.url}/server_info", timeout=5):  # noqa: S310 - our own http address
                return
        except (urllib.error.URLError, OSError):
            stack.ended.wait(0.2)
    stack.raise_if_ended()
    raise ConfigurationError(
        f"dagster-webserver did not come up within {START_SECONDS} s. Its log: {stack.log_dir / 'dagster-webserver.log'}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; whatever is left of its group afterwards is ended without asking."""
    process.terminate()
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _own_port(host: str, port: int) -> int:
    """The wanted port, or for 0 a free one. Raises ConfigurationError when it is taken: its holder would answer for ours."""
    try:
        with socket.create_server((host, port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise ConfigurationError(
            f"port {port} on {host} is taken or may not be used ({error.strerror}). Give another one: --port"
        ) from None
