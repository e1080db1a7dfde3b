"""Plain HTTP visitors of the portals: signed in as a store, and speaking as the report app's page does.

Only what several tests need; what a visit shows is asserted by the tests.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx

from crm_assets.sandbox import Sandbox
from crm_assets.sandbox.stores import find_store, login_of
from crm_assets.sandbox.tumbledry.kinds import KINDS, ReportKind


def td_form(sandbox: Sandbox, store: str, **changed: str) -> dict[str, str]:
    """The login form as a store fills it."""
    known = find_store("td", store)
    assert known
    login = login_of(sandbox.options.seed, known)
    return {"txtUserId": login.user, "txtPassword": login.password, "txtBranchPin": store.upper(), **changed}


@contextmanager
def td_visitor(sandbox: Sandbox, store: str = "a668") -> Iterator[httpx.Client]:
    """A signed-in client of the subs origin."""
    with httpx.Client(base_url=sandbox.urls["subs"], follow_redirects=True) as client:
        client.post("/Login", data=td_form(sandbox, store))
        yield client


def another_code(code: str) -> str:
    """Six digits that are not these."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def report_address(visitor: httpx.Client, store: str = "a668", kind: ReportKind = KINDS[0]) -> str:
    """The address in the report page's frame, with a fresh one-time token."""
    source = re.search(r'id="ifrmReport".* src="([^"]+)"', visitor.get(f"/{store}/App/Reports/{kind.page}").text)
    assert source
    return unescape(source[1])


class ReportAppVisitor:
    """Calls what the report app's script calls, with the key of its page."""

    def __init__(self, visitor: httpx.Client, store: str = "a668", kind: ReportKind = KINDS[0]) -> None:
        address = report_address(visitor, store, kind)
        key = re.search(r'data-key="([^"]+)"', visitor.get(address).text)
        assert key
        self._visitor = visitor
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        self._word = kind.word
        self._headers = {"X-Report-Key": key[1]}

    def ask(self, first: str, last: str) -> httpx.Response:
        return self._visitor.post(self._url(), json={"from": first, "to": last}, headers=self._headers)

    def answer(self) -> httpx.Response:
        return self._visitor.get(self._url(), headers=self._headers)

    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.answer().json()["rows"]
        return rows

    def export(self, first: str, last: str) -> httpx.Response:
        """The direct Export button, where there is one."""
        return self._visitor.get(
            f"{self._origin}/api/{self._word}/export", params={"from": first, "to": last}, headers=self._headers
        )

    def download(self, row: dict[str, Any]) -> httpx.Response:
        return self._visitor.get(self._origin + row["href"])

    def _url(self) -> str:
        return f"{self._origin}/api/{self._word}/requests"


@contextmanager
def uc_visitor(sandbox: Sandbox, store: str = "sector56") -> Iterator[httpx.Client]:
    """A client of the API with the store's token."""
    with httpx.Client(base_url=sandbox.urls["api"]) as client:
        client.headers["Authorization"] = f"Bearer {uc_token(client, sandbox, store)}"
        yield client


def uc_token(client: httpx.Client, sandbox: Sandbox, store: str) -> str:
    known = find_store("uc", store)
    assert known
    login = login_of(sandbox.options.seed, known)
    sent = {"email": login.user, "password": login.password}
    answer = client.post("/api/v1/stores/login?franchise=UCLEAN", json=sent)
    return str(answer.raise_for_status().json()["data"]["token"])
