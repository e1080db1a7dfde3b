"""A person who types what a running command asks for, at a pseudo-terminal or into a pipe.

Every wait has an end; what the command said until then stands in the failure.
"""

import os
import pty
import select
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from crm_assets_tests.fixtures.command import COMMAND

SECONDS = 90


@dataclass(slots=True, kw_only=True)
class Conversation:
    """``said`` is all that the command has printed, on a terminal with the echo of what was typed."""

    process: subprocess.Popen[bytes]
    hears: int
    speaks: int
    said: str = ""
    _asked: int = 0

    def expect(self, words: str) -> str:
        """Until the command says this, after what it was answered last; returns what it said since then."""
        while words not in self.said[self._asked :]:
            assert self._hear(), f"it ended without {words!r}: {self.said}"
        heard, self._asked = self.said[self._asked :], len(self.said)
        return heard

    def answer(self, line: str) -> None:
        os.write(self.speaks, f"{line}\n".encode())

    def ended(self) -> int:
        """The exit code, once the command has ended."""
        while self._hear():
            pass
        return self.process.wait(timeout=SECONDS)

    def _hear(self) -> bool:
        """Whatever comes next; False when it was the last."""
        ready, _, _ = select.select([self.hears], [], [], SECONDS)
        assert ready, f"it said nothing more for {SECONDS} s: {self.said}"
        try:
            heard = os.read(self.hears, 65536)
        except OSError:  # Linux says so when the last process has closed its end of a terminal
            heard = b""
        self.said += heard.decode()
        return bool(heard)


@contextmanager
def at_a_terminal(*arguments: str, environ: Mapping[str, str]) -> Iterator[Conversation]:
    """The command on a terminal of its own; ended with the block."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [COMMAND, *arguments], env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            yield Conversation(process=process, hears=ours, speaks=ours)
        finally:
            process.kill()
            os.close(ours)


@contextmanager
def at_a_pipe(*arguments: str, environ: Mapping[str, str], typed: str | None = None) -> Iterator[Conversation]:
    """The command with a pipe as standard input; with all that is ``typed`` in it from the start, and its end."""
    with subprocess.Popen(
        [COMMAND, *arguments],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdin
        assert process.stdout
        if typed is not None:
            process.stdin.write(typed.encode())
            process.stdin.close()
        try:
            speaks = -1 if typed is not None else process.stdin.fileno()
            yield Conversation(process=process, hears=process.stdout.fileno(), speaks=speaks)
        finally:
            process.kill()
