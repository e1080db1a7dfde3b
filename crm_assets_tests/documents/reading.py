"""What stands in the documents: their code, the commands in it, headings and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crm_assets_tests.documents.markdown import anchor

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "CHANGELOG.md",
    ".env.example",
    "deploy/README.md",
    "profiles/README.md",
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
)
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"\bcrm_download( [^|;&`'#\n]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A crm_download command as a document has it."""

    document: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}: crm_download {' '.join(self.words)}"


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def prose_of(document: str) -> str:
    """The text without its fenced blocks."""
    return BLOCK.sub("", text_of(document))


def code_in(document: str) -> list[str]:
    """Every piece of code: the lines of fenced blocks, and what stands between backticks."""
    lines = [line.split(" #")[0].strip() for block in BLOCK.findall(text_of(document)) for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", prose_of(document))


def calls() -> list[Call]:
    """Each command of each document, once."""
    found = (Call(document=document, words=words) for document in DOCUMENTS for words in _calls_in(document))
    return list(dict.fromkeys(found))


def _calls_in(document: str) -> Iterator[tuple[str, ...]]:
    for code in code_in(document):
        for words in CALL.findall(code):
            yield tuple(word.removesuffix("...") for word in shlex.split(words))


def anchors_of(document: str) -> set[str]:
    """Where a link can lead to on a page."""
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose_of(document), re.MULTILINE)}


def links_of(document: str) -> list[tuple[str, str]]:
    """File and ``#anchor`` of each link to this project, either empty where it has none."""
    links = re.findall(r"\]\(([^)\s]+)\)", prose_of(document))
    parts = [link.partition("#") for link in links if "://" not in link]
    return [(file, f"{mark}{name}") for file, mark, name in parts]
