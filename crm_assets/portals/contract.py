"""What a portal must provide. Read this page first when adding one.

A portal is a package under ``crm_assets/portals`` (or any importable module) whose ``PORTAL`` is a value of the class below:
its reports, its addresses, and its verbs. The same file names in every folder: ``reports.py`` (column tables), ``site.py``
(hosts and paths), ``pages.py`` (every locator), ``login.py`` and ``export.py``. A verb gets a ``Visit`` and raises the errors
of ``crm_assets.errors``; it opens no browser, writes no file but under ``visit.scratch``, and knows no database.
"""

import importlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from crm_assets.errors import ConfigurationError, PortalUnavailable
from crm_assets.logs import say
from crm_assets.model import Clock, Export, Report, Store, Window
from crm_assets.settings import Credentials, Crm

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page, Response


@dataclass(slots=True, kw_only=True)
class Visit:
    """One store account open in one browser page. ``site`` is the portal's own model; ``at`` names the step under way.

    ``server_error`` is the last 5xx answer to anything the page asked for in this step.
    """

    page: "Page"
    store: Store
    site: Any
    scratch: Path
    clock: Clock
    at: str = "start"
    server_error: str | None = None

    @property
    def context(self) -> "BrowserContext":
        return self.page.context

    def step(self, name: str) -> None:
        """Name what is being done: the log shows it, and an error says where it happened."""
        self.at = name
        self.server_error = None
        say(self.store, name, level=logging.DEBUG)

    def notice(self, response: "Response") -> None:
        """Remember a server error: whoever then waits in vain can say why."""
        if response.status >= 500:
            self.server_error = f"{response.url.split('?')[0]} answered {response.status}"

    def refuse_noticed_error(self) -> None:
        """Raise PortalUnavailable when this step has met a server error, whatever the page made of it."""
        if self.server_error:
            raise PortalUnavailable(f"{self.store}: {self.server_error} ({self.at}). Try again later")

    def now(self) -> datetime:
        return self.clock()

    async def goto(self, url: str) -> "Response | None":
        """Open a page. Raises PortalUnavailable when the portal answers with a server error."""
        response = await self.page.goto(url, wait_until="domcontentloaded")
        self.refuse_server_error(response.status if response else 200, url)
        return response

    def refuse_server_error(self, status: int, url: str) -> None:
        """Raise PortalUnavailable for a 5xx answer. The address is shown without its query: it may hold a token."""
        if status >= 500:
            raise PortalUnavailable(f"{self.store}: {url.split('?')[0]} answered {status} ({self.at}). Try again later")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The whole of a portal, as values.

    ``signed_in``: does the loaded session still open the account's pages? ``open_login``: show the login form, filled with
    what is known. ``sign_in``: the same, submitted, up to the ending (raises LoginRejected, OtpRequired). ``arrived``: wait
    until a person has signed in. ``export``: hand over the report's file for a window of at most ``max_window_days``.
    """

    title: str
    site: type[BaseModel]
    reports: tuple[Report, ...]
    signed_in: Callable[[Visit], Awaitable[bool]]
    open_login: Callable[[Visit, Credentials | None], Awaitable[None]]
    sign_in: Callable[[Visit, Credentials], Awaitable[None]]
    arrived: Callable[[Visit, int], Awaitable[None]]
    export: Callable[[Visit, Report, Window], Awaitable[Export]]
    strategies: tuple[str, ...]


def find_portal(name: str) -> Portal:
    """The portal a CRM names in ``stores.yaml``. Raises ConfigurationError when there is none."""
    try:
        portal = getattr(importlib.import_module(name), "PORTAL", None)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"stores.yaml: expected portal {name!r} to be a module, found none: {error}"
        ) from error
    if not isinstance(portal, Portal):
        raise ConfigurationError(f"stores.yaml: expected {name}.PORTAL to be a Portal, found {type(portal).__name__}")
    return portal


def site_of(crm: str, entry: Crm) -> Any:
    """The portal's addresses, validated. Raises ConfigurationError naming the key that is wrong."""
    portal = find_portal(entry.portal)
    try:
        site = portal.site.model_validate(entry.site)
    except ValidationError as error:
        wrong = "; ".join(f"site.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"stores.yaml: crms.{crm}: {wrong}") from None
    for code, store in entry.stores.items():
        unknown = sorted(set(store.strategies) - set(portal.strategies))
        if unknown:
            raise ConfigurationError(
                f"stores.yaml: crms.{crm}.stores.{code}.strategies: expected some of {', '.join(portal.strategies)}; "
                f"found {', '.join(unknown)}"
            )
    return site
