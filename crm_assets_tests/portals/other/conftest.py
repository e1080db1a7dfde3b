"""An installation whose stores live at the stand-ins, and one unattended visit of it up to the signed-in page."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from crm_assets.account import Desk, OpenAccount, open_account, visiting
from crm_assets.credentials import Credentials
from crm_assets.errors import CrmError
from crm_assets.model import Store, system_clock
from crm_assets.portals.visit import understood
from crm_assets.settings import load_settings
from crm_assets_tests.fixtures.sandbox import RememberedAccounts
from crm_assets_tests.portals.other import tumbledry, uclean
from crm_assets_tests.portals.other.serving import served

USER, PASSWORD = tumbledry.USER, tumbledry.PASSWORD
LOGIN = Credentials(user=USER, password=SecretStr(PASSWORD))

type Work = Callable[[OpenAccount], Awaitable[object]]


@dataclass(kw_only=True)
class Visitor:
    """One store at a stand-in. What is known of its account, and its saved session, stay from visit to visit."""

    name: str
    environ: dict[str, str]
    accounts: RememberedAccounts = field(default_factory=RememberedAccounts)
    signed_in_again: bool = False

    def visit(self, then: Work | None = None, *, password: str = PASSWORD) -> type[CrmError] | None:
        """Open the account unattended and perhaps do something in it; the ending's error, or None where all went well."""
        desk, store = self._desk(password)

        async def once() -> None:
            async with open_account(desk, store) as account:
                self.signed_in_again = account.signed_in_again
                if then:
                    await then(account)

        return _ending(once())

    def attended(self, work: Work) -> type[CrmError] | None:
        """A browser without a session, for work that a person has a part in."""
        desk, store = self._desk(PASSWORD)

        async def once() -> None:
            async with visiting(desk, store, None) as account, understood(account.visit):
                await work(account)

        return _ending(once())

    def _desk(self, password: str) -> tuple[Desk, Store]:
        crm, code = self.name.split("/")
        settings = load_settings(self.environ | {f"CRM_{crm}_{code}_PASSWORD".upper(): password})
        desk = Desk(settings=settings, book=self.accounts, clock=system_clock, run_id="a-test")
        return desk, settings.store(crm, code)


def _ending(work: Coroutine[Any, Any, None]) -> type[CrmError] | None:
    try:
        asyncio.run(work)
    except CrmError as error:
        print(f"{type(error).__name__}: {error}")  # noqa: T201 - shown where a case fails
        return type(error)
    return None


@dataclass(frozen=True, kw_only=True)
class Stand:
    """Where stand-ins are put up."""

    home: Path

    @contextmanager
    def tumbledry(self, dress: tumbledry.Dress) -> Iterator[tuple[tumbledry.TumbleDry, Visitor]]:
        portal = tumbledry.TumbleDry(dress)
        with served(portal.app, 2) as (subs, reports):
            portal.reports = reports
            entry = {"portal": "crm_assets.portals.tumbledry", "site": {"subs": subs, "reports": reports}}
            yield portal, self._visitor("td/a668", entry)

    @contextmanager
    def uclean(self, dress: uclean.Dress) -> Iterator[tuple[uclean.UClean, Visitor]]:
        portal = uclean.UClean(dress)
        with served(portal.app, 3) as (panel, api, moved):
            portal.api, portal.moved = api, moved
            entry = {"portal": "crm_assets.portals.uclean", "site": {"panel": panel, "api": api}}
            yield portal, self._visitor("uc/sector56", entry)

    def _visitor(self, name: str, entry: Mapping[str, object]) -> Visitor:
        crm, code = name.split("/")
        stores = {code: {"name": "A shop", "first_day": "2025-11-01"}}
        crms = {"crms": {crm: {"title": "A portal", **entry, "stores": stores}}}
        (self.home / "stores.yaml").write_text(yaml.safe_dump(crms), encoding="utf-8")
        environ = {
            "CRM_HOME": str(self.home),
            "CRM_PAGE_TIMEOUT_SECONDS": "6",
            f"CRM_{crm}_{code}_USER".upper(): USER,
        }
        return Visitor(name=name, environ=environ)


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(home=tmp_path)
