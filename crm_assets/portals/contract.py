"""What a portal must provide. Read this page first when adding one.

A portal is a package under ``crm_assets/portals`` (or any importable module) whose ``PORTAL`` is a value of the class below:
its reports, its addresses, and its verbs. The same file names in every folder: ``reports.py`` (column tables), ``site.py``
(hosts and paths), ``pages.py`` (every locator), ``login.py`` and ``export.py``. A verb gets a ``Visit`` (``visit.py``) and
raises the errors of ``crm_assets.errors``; it opens no browser, writes no file but under ``visit.scratch`` (the export as
``visit.scratch_file(window)``, so that a refused one can be kept), and knows no database.
"""

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from crm_assets.credentials import Credentials
from crm_assets.errors import ConfigurationError
from crm_assets.model import Export, Report, Window
from crm_assets.otp import Answer
from crm_assets.portals.visit import Visit
from crm_assets.store_list import Crm


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """Who answers when the portal asks for a one-time password, and how many codes may be tried."""

    answer: Answer
    tries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The whole of a portal, as values.

    ``signed_in``: does the loaded session still open the account's pages? ``open_login``: show the login form, filled with
    what is known. ``sign_in``: the same, submitted once, through notices and the one-time password to the ending (raises
    LoginRejected, AccountLocked, OtpRequired, SessionDropped, StoreSkipped). ``arrived``: wait until a person has signed in.
    ``holds_session``: a look without a step: is the page still a signed-in one, so that its state is worth saving? ``export``:
    hand over the report's file for a window of at most ``max_window_days``. ``addresses``: the origins of a site.
    """

    title: str
    site: type[BaseModel]
    reports: tuple[Report, ...]
    signed_in: Callable[[Visit], Awaitable[bool]]
    open_login: Callable[[Visit, Credentials | None], Awaitable[None]]
    sign_in: Callable[[Visit, Credentials, SecondFactor | None], Awaitable[None]]
    arrived: Callable[[Visit, float], Awaitable[None]]
    holds_session: Callable[[Visit], Awaitable[bool]]
    addresses: Callable[[Any], tuple[str, ...]]
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
