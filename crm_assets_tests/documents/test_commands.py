"""Every command in the documents: understood by the command itself, and run for real where that is safe and cheap."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer

from crm_assets import cli
from crm_assets.sandbox import SandboxOptions
from crm_assets_tests.documents.reading import Call, calls
from crm_assets_tests.fixtures.command import CommandLine, new_command_line

CALLS = calls()
EXAMPLE_KEY = "bm90IGEga2V5IG9mIGFueWJvZHkncywgYSB0ZXN0J3M="  # 32 bytes in base64, as the documents ask for
SAYS_NO = {("doctor",): (0, 1), ("status",): (0, 1), ("sessions", "test"): (0, 1, 3), ("digest", "--send"): (4,)}
"""These look at something, and answer by their exit code."""

NOT_RUN = {
    ("server",): "it does not end; test_stack.py starts it",
    ("sandbox",): "it does not end; test_cli.py starts it",
    ("demo",): "it is a whole installation; test_demo.py runs it",
    ("bootstrap",): "a person must answer; cli/test_bootstrap.py does",
    ("alerts", "--test"): "somebody must take the message; cli/test_alerts.py does",
    ("refresh",): "it fetches all that is missing, for minutes; cli/test_refresh.py runs a smaller one",
    ("ingest",): "it needs a workbook of the portal; cli/test_files.py has one",
    ("rejects", "show"): "its number is an example; cli/test_rejects.py has rejects",
    ("rejects", "waive"): "its numbers are examples; cli/test_rejects.py has rejects",
    ("sessions", "show"): "there is no session of that store; cli/test_sessions.py has one",
    ("download", "--crm", "uc"): "it takes two browsers more; test_cli.py runs all stores",
    ("download", "--crm", "td", "--store", "a668"): "it takes a browser more, and differs by its store",
    ("download", "--crm", "td", "--store", "a817", "--from", "yesterday"): "test_add_a_store.py follows that page",
    ("tables", "--crm", "ff"): "its CRM is made on that page; a test follows it",
    ("download", "--crm", "ff"): "its CRM is made on that page; a test follows it",
}
"""Beginnings of commands that are understood here, but not run, and why."""

WHOLE: Any = typer.main.get_command(cli.app)


def leaf_of(words: tuple[str, ...]) -> tuple[Any, list[str]]:
    """The command that these words name, below its groups, or None where there is none, and the rest of them."""
    command, rest = WHOLE, list(words)
    while command is not None and hasattr(command, "commands"):
        command = command.commands.get(rest.pop(0)) if rest else None
    return command, rest


def is_a_mention(call: Call) -> bool:
    """``crm_download bootstrap`` in a sentence, without what it cannot do without."""
    command, rest = leaf_of(call.words)
    return not rest and command is not None and any(parameter.required for parameter in command.params)


def reason_not_to_run(call: Call) -> str | None:
    return next((why for begin, why in NOT_RUN.items() if call.words[: len(begin)] == begin), None)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_command_in_a_document_is_understood(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for word in call.words:
        if word == "FILE" or word.endswith((".xlsx", ".json")):
            (tmp_path / word).touch()
    command, rest = leaf_of(call.words)
    assert command is not None
    if not is_a_mention(call):
        command.make_context(command.name, rest)


@pytest.mark.parametrize("words", [("status", "--yaml"), ("download", "--crm", "td"), ("rejects", "waive", "x")])
def test_one_that_is_wrong_would_be_found(words: tuple[str, ...]) -> None:
    command, rest = leaf_of(words)
    with pytest.raises(Exception, match=r"No such option|Missing parameter|valid integer"):
        command.make_context(command.name, rest)


RUN = sorted(
    {call.words for call in CALLS if leaf_of(call.words)[0] and not is_a_mention(call) and not reason_not_to_run(call)}
)


def test_what_is_not_run_is_in_a_document_and_the_rest_is_run() -> None:
    unused = [begin for begin in NOT_RUN if not any(call.words[: len(begin)] == begin for call in CALLS)]
    assert unused == []
    assert len(RUN) > 12


@pytest.fixture(scope="module")
def installation(
    postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CommandLine]:
    """As old as the documents' dates: nothing fetched yet."""
    home, options = tmp_path_factory.mktemp("documents"), SandboxOptions(first_day=date(2025, 11, 1))
    with new_command_line(postgres_url, dagster_template, home, options) as command:
        yield command


@pytest.mark.parametrize("words", RUN, ids=" ".join)
def test_a_command_in_a_document_does_what_it_says(installation: CommandLine, words: tuple[str, ...]) -> None:
    ran = installation(*words, CRM_PROFILE_KEY=EXAMPLE_KEY)
    allowed = next((codes for begin, codes in SAYS_NO.items() if words[: len(begin)] == begin), (0,))
    assert ran.code in allowed, ran
    assert "Traceback" not in ran.err
