"""The subs origin: login form, home, and the page that holds the report app in a frame.

Hands a one-time token to the report app (``OneTimeTokens``); the app itself is ``reports``.
"""

from urllib.parse import parse_qs
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_assets.sandbox.screens import assets, refusal, screen
from crm_assets.sandbox.sessions import Leases
from crm_assets.sandbox.stores import SandboxStore, find_store, login_of, signed_in_store
from crm_assets.sandbox.world import World

AUTH_COOKIE = "td_auth"
DEVICE_COOKIE = "td_device"
_DEVICE_SECONDS = 180 * 24 * 3600
_PURPOSE = "td session"


class OneTimeTokens:
    """Tokens for the report app's address, each good once."""

    def __init__(self, world: World) -> None:
        self._seals = world.seals
        self._unused: set[str] = set()

    def issue(self, store: SandboxStore) -> str:
        token = self._seals.seal("td report token", crm=store.crm, store=store.code, nonce=uuid4().hex)
        self._unused.add(token)
        return token

    def spend(self, token: str) -> SandboxStore | None:
        """The store the token was issued for, the first time it is shown."""
        claims = self._seals.open("td report token", token) if token in self._unused else None
        self._unused.discard(token)
        return find_store("td", str(claims["store"])) if claims else None


def subs_app(world: World, tokens: OneTimeTokens) -> Starlette:
    pages = _Subs(world, tokens)
    return Starlette(
        routes=[
            Route("/", pages.front_door),
            Route("/Login", pages.login_form, methods=["GET"]),
            Route("/Login", pages.login, methods=["POST"]),
            *assets(),
            Route("/{code}", pages.front_door),
            Route("/{code}/App/home", pages.home),
            Route("/{code}/App/Reports/OrderReport.aspx", pages.order_report),
        ],
        exception_handlers={HTTPException: refusal},
    )


class _Subs:
    """The pages, each a handler."""

    def __init__(self, world: World, tokens: OneTimeTokens) -> None:
        self._world = world
        self._tokens = tokens
        self._leases = Leases()

    async def front_door(self, _request: Request) -> Response:
        return RedirectResponse("/Login", 302)

    async def login_form(self, _request: Request) -> Response:
        await self._world.arrive("td", "page")
        answer = screen("td_login.html", user="", code="", error="")
        answer.delete_cookie(AUTH_COOKIE)
        return answer

    async def login(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
        user, password, code = (
            form.get(name, [""])[0].strip() for name in ("txtUserId", "txtPassword", "txtBranchPin")
        )
        claimed = find_store("td", code)
        await self._world.arrive("td", "login", claimed)
        store = signed_in_store(self._world.options.seed, "td", user, password)
        if store is None or store != claimed:
            self._world.journal.rejected_logins[f"td/{code.lower()}"] += 1
            return screen("td_login.html", user=user, code=code, error="Invalid user id, password or store code.")
        return self._welcome(request, store)

    async def home(self, request: Request) -> Response:
        store = self._signed_in(request)
        if store is None:
            return _signed_out()
        await self._world.arrive("td", "page", store)
        return screen("td_home.html", title=store.title, code=store.code.upper(), user=self._user(store))

    async def order_report(self, request: Request) -> Response:
        store = self._signed_in(request)
        if store is None:
            return _signed_out()
        await self._world.arrive("td", "page", store)
        return screen(
            "td_order_report.html",
            title=store.title,
            reports=self._world.urls["reports"],
            token=self._tokens.issue(store),
            code=store.code,
        )

    def _welcome(self, request: Request, store: SandboxStore) -> Response:
        self._world.journal.logins[str(store)] += 1
        token = self._world.sessions.issue(_PURPOSE, store)
        self._leases.open(token, request)
        answer = RedirectResponse(f"/{store.code}/App/home?EventClick=True", 302)
        answer.set_cookie(AUTH_COOKIE, token, httponly=True, samesite="lax")
        device = self._world.seals.seal("td device", store=store.code)
        answer.set_cookie(DEVICE_COOKIE, device, max_age=_DEVICE_SECONDS, httponly=True, samesite="lax")
        return answer

    def _signed_in(self, request: Request) -> SandboxStore | None:
        """The store of the address, when a session of this very browser is open for it."""
        token = request.cookies.get(AUTH_COOKIE, "")
        store = self._world.sessions.store_of(_PURPOSE, token)
        if store is None or store.code != request.path_params["code"].lower():
            return None
        kept = self._world.options.td_sessions == "kept"
        return store if kept or self._leases.holds(token, request) else None

    def _user(self, store: SandboxStore) -> str:
        return login_of(self._world.options.seed, store).user


def _signed_out() -> Response:
    answer = RedirectResponse("/Login", 302)
    answer.delete_cookie(AUTH_COOKIE)
    return answer
