"""What people and programs see."""

import json

import pytest

from crm_assets.doctor.display import closing_line, show_as_json, show_findings
from crm_assets.doctor.findings import green, red, yellow

FINDINGS = [
    green("settings", "stores.yaml", "the settings load"),
    yellow("settings", ".env", "others may read it", "Run: chmod 600 .env"),
    red("host", "subs.example.com:443", "[Errno 5] [red]no connection", "See site in stores.yaml"),
]


def test_the_table_is_readable_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings(FINDINGS)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    assert cells == [
        ["✓ ok", "settings", "stores.yaml", "the settings load"],
        ["! look", "", ".env", "others may read it"],
        ["", "", "", "→ Run: chmod 600 .env"],
        ["✗ wrong", "host", "subs.example.com:443", "[Errno 5] [red]no connection"],
        ["", "", "", "→ See site in stores.yaml"],
    ]


def test_the_last_line_counts(capsys: pytest.CaptureFixture[str]) -> None:
    show_findings(FINDINGS)
    assert capsys.readouterr().out.splitlines()[-1] == closing_line(FINDINGS) == "1 ok, 1 to look at, 1 wrong"


def test_json_is_one_object_per_finding_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_as_json(FINDINGS)
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert objects[0] == {
        "subject": "settings",
        "name": "stores.yaml",
        "level": "green",
        "found": "the settings load",
        "next_step": "",
    }
    assert [one["level"] for one in objects] == ["green", "yellow", "red"]
