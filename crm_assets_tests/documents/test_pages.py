"""The generated pages are what ``script/docs`` would write, and it says so where they are not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crm_assets.model import Report
from crm_assets.pipeline.reports import sources
from crm_assets.settings import load_settings
from crm_assets_tests.documents.reading import ROOT, text_of

GENERATED = ("configuration.md", "data-dictionary.md", "errors.md")
REPORTS = [source.report for source in sources(load_settings({}))]


def script_docs(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What ``script/docs`` runs once the environment is ready."""
    return subprocess.run(
        [sys.executable, "-m", "crm_assets_tests.documents", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_pages_are_up_to_date_and_one_that_is_not_is_found_and_written_anew(tmp_path: Path) -> None:
    for name in GENERATED:
        shutil.copy(ROOT / "docs" / name, tmp_path)
    errors = tmp_path / "errors.md"
    errors.write_text(errors.read_text(encoding="utf-8").replace("one-time password", "OTP"), encoding="utf-8")

    checked = script_docs("--check", "--folder", str(tmp_path))
    assert (checked.stdout, checked.returncode) == ("not up to date: errors.md\n", 1), "run script/docs"

    written = script_docs("--folder", str(tmp_path))
    assert (written.stdout, written.returncode) == ("written: errors.md\n", 0), written.stderr
    assert errors.read_text(encoding="utf-8") == text_of("docs/errors.md")


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_the_dictionary_leads_every_header_to_its_columns(report: Report) -> None:
    mapping = text_of("docs/data-dictionary.md").split(f"\n### {report.crm}/{report.name}\n")[1].split("\n### ")[0]
    for column in report.file_columns:
        fact = f"`{column.name}`" if column.in_fact else ""
        assert f"\n| {column.header}" in mapping
        assert f"| `{column.name}` | {fact} |" in mapping


def test_every_column_of_the_dictionary_is_explained() -> None:
    described = text_of("docs/data-dictionary.md").split("## From the workbook")[0]
    rows = [line.split(" | ") for line in described.splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert [row for row in rows if not row[2].strip()] == []


def test_every_field_of_the_store_list_is_explained() -> None:
    stores = text_of("docs/configuration.md").split("## The store list")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in stores.splitlines() if line.startswith("| `")]
    assert len(rows) > 10
    assert [row for row in rows if not row[3].strip(" |")] == []
