"""Tables and anchors as GitHub renders them."""

import re
from collections.abc import Iterable, Sequence

MADE = "<!-- Written by script/docs from {sources}; change those, not this page. -->"


def page(title: str, sources: str, *parts: str) -> str:
    """A whole page; empty parts are left out."""
    return "\n\n".join([f"# {title}", MADE.format(sources=sources), *filter(None, parts)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a line for each row; nothing where there is none."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(header)} |", f"|{'---|' * len(header)}", *lines]) if lines else ""


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def anchor(heading: str) -> str:
    """What GitHub makes of a heading: ``#a-heading``."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).strip().lower())
    return f"#{kept.replace(' ', '-')}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
