"""``docs/add-a-store.md``, followed word by word: an installation without Kirti Nagar gets it, and its day lands."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from crm_assets.model import business_day, system_clock
from crm_assets_tests.documents.reading import BLOCK, calls, text_of
from crm_assets_tests.fixtures.command import CommandLine, new_command_line
from crm_assets_tests.fixtures.sandbox import days

PAGE = "docs/add-a-store.md"
ENTRY, SECRETS, *_ = BLOCK.findall(text_of(PAGE))


@pytest.fixture
def without_the_store(postgres_url: str, dagster_template: str, tmp_path: Path) -> Iterator[CommandLine]:
    with new_command_line(postgres_url, dagster_template, tmp_path) as command:
        kept = [line for line in listed(command).splitlines() if not line.strip().startswith("a817:")]
        write(command, "\n".join(kept) + "\n")
        secrets = command.sandbox.secrets()
        logins = "".join(f"{name}='{value}'\n" for name, value in secrets.items() if "A817" not in name)
        (command.home / "logins.env").write_text(logins, encoding="utf-8")
        yield command


def listed(command: CommandLine) -> str:
    return (command.home / "stores.yaml").read_text(encoding="utf-8")


def write(command: CommandLine, text: str) -> None:
    (command.home / "stores.yaml").write_text(text, encoding="utf-8")


def test_the_page_brings_a_store_in(without_the_store: CommandLine) -> None:
    command = without_the_store
    assert "td/a817" not in command("stores").out

    before = listed(command)
    write(command, re.sub(r"^( +)(a668:)", lambda found: f"{ENTRY}{found[0]}", before, count=1, flags=re.MULTILINE))
    assert yaml.safe_load(listed(command))["crms"]["td"]["stores"].keys() == {"a668", "a817"}
    names = re.findall(r"^(CRM_\w+)=", SECRETS, re.MULTILINE)
    filled = "".join(f"{name}='{command.sandbox.secrets()[name]}'\n" for name in names)
    with (command.home / "logins.env").open("a", encoding="utf-8") as logins:
        logins.write(filled)

    told = {call.words[0]: call.words for call in calls() if call.document == PAGE}
    row = next(line for line in command(*told["stores"]).out.splitlines() if "td/a817" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")][1::3] == ["Kirti Nagar", "set"]
    ran = command(*told["download"])
    assert ran.code == 0, ran
    yesterday = days(business_day(system_clock) - timedelta(days=1))
    assert command.loaded("td/a817") == command.sold("td/a817", yesterday)
    assert "td/a817" in command(*told["status"]).out
