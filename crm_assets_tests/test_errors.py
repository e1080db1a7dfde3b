"""The error tree: drawn as it is, each branch with the exit code of who acts."""

import inspect
import re
from pathlib import Path

import pytest

from crm_assets import errors
from crm_assets.cli.options import exit_code_of
from crm_assets.errors import CrmError, error_class

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


@pytest.mark.parametrize("name", sorted(set(CLASSES) - {"NeedsPerson", "PortalTrouble", "StoreSkipped"}))
def test_the_readme_says_who_acts(name: str) -> None:
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")
