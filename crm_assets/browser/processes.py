"""The processes of a browser session: found by the session's mark, ended as one family, frozen or not.

A frozen browser ignores a polite close and a stopped process ignores every signal but the last one.
"""

import logging
import os
import uuid
from dataclasses import dataclass, field

import psutil

log = logging.getLogger(__name__)

SESSION_MARK = "--crm-assets-session="
END_SECONDS = 5


@dataclass(frozen=True, slots=True)
class BrowserProcesses:
    """One session's browser: ``mark`` is the argument it is started with."""

    mark: str = field(default_factory=lambda: f"{SESSION_MARK}{uuid.uuid4().hex}")

    def end(self) -> None:
        """End what still runs of it: the marked process, its children, and the group it leads (a crashed one's orphans)."""
        family = self._family()
        for process in family:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        if family:
            log.warning("ended %d browser processes that had not closed", len(family))
            psutil.wait_procs(list(family), timeout=END_SECONDS)

    def _family(self) -> set[psutil.Process]:
        running = list(psutil.process_iter(["cmdline"]))
        marked = [process for process in running if self.mark in (process.info["cmdline"] or [])]
        groups = {_group(process) for process in marked} - {None, os.getpgid(0)}
        grouped = {process for process in running if groups and _group(process) in groups}
        return {child for process in marked for child in _children(process)} | set(marked) | grouped


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return None
