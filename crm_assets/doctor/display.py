"""Findings for eyes and for programs: a table grouped by subject, readable without colour, or one JSON object per line."""

import dataclasses
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from crm_assets.doctor.findings import Finding, Level

PAPER_WIDTH = 120
MARKS = {Level.GREEN: "✓ ok", Level.YELLOW: "! look", Level.RED: "✗ wrong"}


def show_findings(findings: Sequence[Finding]) -> None:
    """The table, and how much of it is good."""
    table = Table("", "subject", "what", "found, and what to do", title="Doctor")
    for column in table.columns[:2]:
        column.no_wrap = True
    table.columns[2].overflow = table.columns[3].overflow = "fold"
    for before, one in zip([None, *findings], findings, strict=False):
        first = before is None or before.subject != one.subject
        if first and before:
            table.add_section()
        table.add_row(Text(MARKS[one.level], one.level), one.subject if first else "", Text(one.name), _told(one))
    console = _paper()
    console.print(table)
    console.print(closing_line(findings), highlight=False)


def show_as_json(findings: Sequence[Finding]) -> None:
    for one in findings:
        print(json.dumps(dataclasses.asdict(one)))  # noqa: T201 - standard output is for programs


def closing_line(findings: Sequence[Finding]) -> str:
    """``12 ok, 1 to look at, 0 wrong``."""
    counted = Counter(one.level for one in findings)
    return f"{counted[Level.GREEN]} ok, {counted[Level.YELLOW]} to look at, {counted[Level.RED]} wrong"


def _told(one: Finding) -> Text:
    """Text and not markup: an error's brackets are its own."""
    told = Text(one.found)
    return told.append(f"\n→ {one.next_step}", "bold") if one.next_step else told


def _paper() -> Console:
    """As wide as the terminal, or wide enough for sentences where there is none."""
    return Console() if sys.stdout.isatty() or "COLUMNS" in os.environ else Console(width=PAPER_WIDTH)
