"""The error tree: drawn as it is, each branch with the exit code of who acts, and every channel with the same next step."""

import inspect
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from crm_assets import errors, terminal
from crm_assets.cli.options import exit_code_of, tell
from crm_assets.errors import CrmError, Who, advice, error_class, every_class, in_full
from crm_assets.model import Store, Window
from crm_assets.pipeline.alerting import message_of
from crm_assets.pipeline.health import StoreHealth
from crm_assets.pipeline.launch import Launched, Task
from crm_assets.pipeline.results import Failed, failure_of
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.settings import load_settings
from crm_assets.warehouse.alerts import Alert
from crm_assets.warehouse.freshness import Freshness
from crm_assets.warehouse.outcomes import RunOutcome

CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, CrmError) and found is not CrmError
}
ROOT = Path(__file__).resolve().parents[1]
EXIT_CODES = {
    **dict.fromkeys(("ConfigurationError", "PortalMoved", "WarehouseUnavailable", "BrowserMissing", "DiskFull"), 4),
    **dict.fromkeys(
        ("NeedsPerson", "OtpRequired", "LoginRejected", "AccountLocked", "LoginMissing", "PersonAwaited"), 3
    ),
    **dict.fromkeys(("StoreSkipped", "OverdueOrders"), 0),
}
"""Every other error is a store's failure: 1."""


def drawn_branches() -> dict[str, set[str]]:
    """Branch by branch, what the docstring draws below it; a leaf of the root has nothing below it."""
    branches: dict[str, set[str]] = {}
    branch = ""
    for line in (errors.__doc__ or "").splitlines():
        if not re.search(r"^ +[├└│]", line):
            continue
        names = re.findall(r"\b[A-Z][A-Za-z]+\b", line.split("   retried")[0].split("   someone")[0])
        names = [name for name in names if name in CLASSES]
        if "─" in line:
            branch, *names = names
            branches[branch] = set()
        branches[branch] |= set(names)
    return branches


def test_the_drawn_tree_is_the_real_one() -> None:
    real = {
        name: {below.__name__ for below in found.__subclasses__()}
        for name, found in CLASSES.items()
        if found.__bases__ == (CrmError,)
    }
    assert drawn_branches() == real


@pytest.mark.parametrize("name", CLASSES)
def test_an_error_is_known_by_its_code_and_leads_to_who_acts(name: str) -> None:
    assert CLASSES[name]("why").code == name
    assert error_class(name) is CLASSES[name]
    assert exit_code_of(error_class(name)) == EXIT_CODES.get(name, 1)


@pytest.mark.parametrize("code", [None, "", "NoSuchError"])
def test_a_run_that_ended_without_a_known_error_is_a_stores_failure(code: str | None) -> None:
    assert error_class(code) is CrmError
    assert exit_code_of(error_class(code)) == 1


# The same sentence everywhere.

NEVER_RAISED = {"NeedsPerson", "PortalTrouble", "StoreSkipped"}
STORE = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 11, 1))
NOW, DAY = datetime(2025, 11, 24, 6, tzinfo=UTC), Window(first=date(2025, 11, 23), last=date(2025, 11, 23))
MESSAGE = "td/a668: expected one thing, found another"


def outcome(code: str | None) -> Launched:
    """A run that failed so."""
    counts = dict.fromkeys(("inserted", "updated", "unchanged", "rejected", "missing"), 0)
    came = RunOutcome(
        run_id="run-1", files=0, complete=False, error_code=code, error_message=MESSAGE, evidence=None, **counts
    )
    return Launched(task=Task(store=STORE, report=ORDER_REPORT, window=DAY), outcome=came)


def alert(code: str) -> Alert:
    """The same trouble, as it waits to be told."""
    empty = dict.fromkeys(
        ("evidence", "resolved_at", "told_at", "recovery_told_at", "next_try_at", "last_delivery_error")
    )
    return Alert(
        alert_id=1,
        crm="td",
        store="a668",
        code=code,
        message=MESSAGE,
        first_seen_at=NOW,
        last_seen_at=NOW,
        times=1,
        tries=0,
        **empty,
    )


def health(code: str) -> StoreHealth:
    """The store, after that failure."""
    fresh = Freshness(
        refreshed_at=NOW, missing_days=0, open_rejects=0, error_code=code, error_message=MESSAGE, state=None
    )
    return StoreHealth(store=STORE, report="order_report", fresh=fresh, due_at=None, next_at=None)


TEXTS: dict[str, Callable[[CrmError], object]] = {
    "the command's message": lambda error: tell(error, "td/a668"),
    "the command's table": lambda error: terminal.show_results([outcome(error.code)]),
    "the table of alerts": lambda error: terminal.show_alerts([alert(error.code)], as_json=False),
    "the status": lambda error: terminal.show_health([health(error.code)], NOW),
    "the alert": lambda error: typer.echo(message_of(load_settings({}), [alert(error.code)], []).body),
    "Dagster's failure": lambda error: typer.echo(
        failure_of([Failed(store="td/a668", window=DAY, error=error)]).description
    ),
    "the error in full": lambda error: typer.echo(in_full(error, "td/a668")),
}
OBJECTS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda code: terminal.as_object(outcome(code)),
    lambda code: terminal.health_as_object(health(code), NOW),
)


@pytest.mark.parametrize("found", every_class())
def test_every_channel_says_the_same_next_step(found: type[CrmError], capsys: pytest.CaptureFixture[str]) -> None:
    expected = list(advice(found.__name__, MESSAGE, "td/a668"))
    assert expected[0] == f"Next: {found.next_step}"
    for channel, tell_it in TEXTS.items():
        tell_it(found(MESSAGE))
        said = [line for line in "".join(capsys.readouterr()).splitlines() if line.startswith(("Next: ", "Run: "))]
        assert said == expected, channel
    terminal.show_alerts([alert(found.__name__)], as_json=True)
    objects = [json.loads(capsys.readouterr().out), *(as_object(found.__name__) for as_object in OBJECTS)]
    command = expected[1].removeprefix("Run: ") if expected[1:] else None
    assert [(told["next_step"], told["command"]) for told in objects] == [(found.next_step, command)] * 3


@pytest.mark.parametrize("found", every_class())
def test_the_page_about_errors_says_what_it_means_and_the_same_next_step(found: type[CrmError]) -> None:
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    heading = "ended early" if found is CrmError else found.__name__
    [entry] = re.findall(rf"^### {heading}\n\n(.*?)(?=\n##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert entry.strip().split("\n\n")[:2] == [found.means(), f"**Next:** {found.next_step}"]


@pytest.mark.parametrize("found", every_class())
def test_a_next_step_is_a_sentence_that_begins_with_who_acts(found: type[CrmError]) -> None:
    begins: dict[Who, str | tuple[str, ...]] = {
        Who.PERSON: "A person ",
        Who.STORE: "Someone at the store ",
        Who.INSTALLER: "Whoever installed it ",
        Who.READER: ("Someone ", "Nobody at first: "),
        Who.ASKER: "Whoever started it ",
        Who.NOBODY: ("Nobody: ", "Nobody at first: "),
    }
    assert found.next_step.startswith(begins[found.who])
    for sentence in (found.means(), found.next_step):
        assert re.fullmatch(r"[A-Z][^\n`]+[A-Za-z/]\.", sentence)


def test_the_command_of_a_next_step_is_the_stores_own() -> None:
    assert errors.command_of("OtpRequired", str(STORE)) == STORE.bootstrap_command


def test_a_command_that_the_message_holds_is_not_given_twice() -> None:
    assert advice("OtpRequired", f"{MESSAGE}. Run: {STORE.bootstrap_command}", str(STORE)) == (
        f"Next: {errors.OtpRequired.next_step}",
    )


def test_a_failed_run_ends_with_the_next_step_of_each_class_once() -> None:
    failed = [
        Failed(store=store, window=DAY, error=error(f"{store}: no"))
        for error in (errors.OtpRequired, errors.HeaderDrift)
        for store in ("td/a668", "td/a817")
    ]
    assert (failure_of(failed).description or "").splitlines() == [
        "td/a668: no",
        "td/a817: no",
        f"Next: {errors.OtpRequired.next_step}",
        "Run: crm_download bootstrap --crm td --store a668",
        "Run: crm_download bootstrap --crm td --store a817",
        "td/a668: no",
        "td/a817: no",
        f"Next: {errors.HeaderDrift.next_step}",
    ]


def test_the_readme_names_every_error_in_the_row_of_who_acts() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## When something fails")[1].split("\n## ")[0]
    rows = [set(re.findall(r"`([A-Z]\w+)`", line.split("|")[1])) for line in text.splitlines() if line[:3] == "| `"]
    real = [
        {each.__name__ for each in every_class() if each.who is who} - NEVER_RAISED - {CrmError.__name__} for who in Who
    ]
    assert sorted(map(sorted, rows)) == sorted(map(sorted, real))
