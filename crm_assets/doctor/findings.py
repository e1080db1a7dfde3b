"""Findings: what the doctor saw, in one sentence, how grave it is, and the next step.

Values alone; looking belongs to the module of each subject.
"""

from dataclasses import dataclass
from enum import StrEnum

from crm_assets.errors import CrmError


class Level(StrEnum):
    """``GREEN``: nothing to do. ``YELLOW``: runs go on, someone should look. ``RED``: something does not work."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    ``subject`` is one of ``SUBJECTS``, ``name`` what exactly (``td/a668``, ``subs.example.com:443``); ``next_step`` is empty
    only where there is nothing to do.
    """

    subject: str
    name: str
    level: Level
    found: str
    next_step: str = ""


SUBJECTS = ("settings", "database", "browser", "host", "session", "disk", "dagster")


def green(subject: str, name: str, found: str) -> Finding:
    return Finding(subject=subject, name=name, level=Level.GREEN, found=found)


def yellow(subject: str, name: str, found: str, next_step: str) -> Finding:
    return Finding(subject=subject, name=name, level=Level.YELLOW, found=found, next_step=next_step)


def red(subject: str, name: str, found: str, next_step: str) -> Finding:
    return Finding(subject=subject, name=name, level=Level.RED, found=found, next_step=next_step)


def of_error(subject: str, name: str, error: CrmError, *, next_step: str = "") -> Finding:
    """An error of ours as a red finding; its last sentence says what to do, unless it has one sentence only."""
    found, _, advice = str(error).rpartition(". ")
    if not found:
        return red(subject, name, str(error), next_step or "Mend what it names, then run: crm_download doctor")
    return red(subject, name, found, next_step or advice)
