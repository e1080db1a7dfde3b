"""A signed-in store's home, and what may stand before it or lie over it: licence notice, overdue orders, a promotion.

Who is signed in is known to ``sign_in``; whether a bad day is on, to ``faults``.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from crm_assets.model import Window
from crm_assets.sandbox.layouts import Row
from crm_assets.sandbox.screens import Markup, fragment, screen, table_rows
from crm_assets.sandbox.seals import short_hash
from crm_assets.sandbox.stores import SandboxStore, login_of
from crm_assets.sandbox.tumbledry.sign_in import SignIn, signed_out, token_of
from crm_assets.sandbox.world import World

_SHOWN = 5
_RECENT_DAYS = 14
_OVERDUE_DAYS = (40, 10)
_PHONE_DIGITS = 10


class Home:
    """The pages around home, each a handler."""

    def __init__(self, world: World, sign_in: SignIn) -> None:
        self._world = world
        self._sign_in = sign_in
        self._paying_later: set[str] = set()

    async def home(self, request: Request) -> Response:
        store = self._sign_in.store_of(request)
        if store is None:
            return signed_out()
        await self._world.arrive("td", "page", store)
        if token_of(request) not in self._paying_later and self._is_on("licence", store):
            return RedirectResponse(f"/{store.code}/App/frmLicence", 302)
        return screen(
            "td_home.html",
            title=store.title,
            code=store.code.upper(),
            user=login_of(self._world.options.seed, store).user,
            view_state="/wEPDw" + short_hash(self._world.options.seed, store, "view state", length=42),
            request_token=self._world.seals.seal("td form", store=store.code),
            orders=table_rows(self._recent(store)),
            over=self._over(store),
            leaves="yes" if self._sign_in.bounces(request, store) else "no",
        )

    async def licence(self, request: Request) -> Response:
        store = self._sign_in.store_of(request)
        if store is None:
            return signed_out()
        await self._world.arrive("td", "page", store)
        return screen("td_licence.html", title=store.title)

    async def pay_later(self, request: Request) -> Response:
        """The notice was read; this session sees it no more."""
        store = self._sign_in.store_of(request)
        if store is None:
            return signed_out()
        await self._world.arrive("td", "page", store)
        self._paying_later.add(token_of(request))
        return RedirectResponse(f"/{store.code}/App/home?EventClick=True", 302)

    async def all_informed(self, request: Request) -> Response:
        """Somebody claims to have called every customer of the overdue list, which only the store can know."""
        store = self._sign_in.store_of(request)
        if store is None:
            return signed_out()
        self._world.journal.overdue_forced[str(store)] += 1
        return Response(status_code=204)

    def _over(self, store: SandboxStore) -> Markup:
        """What covers the page."""
        parts = []
        if self._is_on("overdue", store):
            parts.append(fragment("td_overdue.html", orders=table_rows(self._overdue(store))))
        if self._is_on("modal", store):
            parts.append(fragment("td_promotion.html"))
        return Markup("\n".join(parts))

    def _is_on(self, fault: str, store: SandboxStore) -> bool:
        return self._world.faults.take(fault, "td", store.code, "page") is not None

    def _recent(self, store: SandboxStore) -> list[list[object]]:
        orders = [order for order in self._orders(store, _RECENT_DAYS, 0) if _has_phone(order)]
        return [[order[name] for name in ("Order No.", "Name", "Phone", "Order Status")] for order in orders[-_SHOWN:]]

    def _overdue(self, store: SandboxStore) -> list[list[object]]:
        orders = [order for order in self._orders(store, *_OVERDUE_DAYS) if order["Order Status"] != "Delivered"]
        return [[order[name] for name in ("Order No.", "Due Date", "Order Status")] for order in orders[-_SHOWN:]]

    def _orders(self, store: SandboxStore, first_back: int, last_back: int) -> list[Row]:
        today = self._world.clock.today()
        window = Window(first=today - timedelta(days=first_back), last=today - timedelta(days=last_back))
        return self._world.books.td_orders(store.code, window)


def _has_phone(order: Row) -> bool:
    phone = str(order["Phone"])
    return phone.isdigit() and len(phone) == _PHONE_DIGITS
