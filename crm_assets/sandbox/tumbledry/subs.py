"""The subs origin: its addresses, the front door, and the page that holds the report app in a frame.

Hands a one-time token to the report app (``OneTimeTokens``); the app itself is ``reports``. Signing in is ``sign_in``'s.
"""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_assets.sandbox.screens import assets, refusal, screen
from crm_assets.sandbox.stores import SandboxStore, find_store
from crm_assets.sandbox.tumbledry.home import Home
from crm_assets.sandbox.tumbledry.kinds import KINDS, ReportKind
from crm_assets.sandbox.tumbledry.sign_in import SignIn, Witness, signed_out
from crm_assets.sandbox.world import World

type Handler = Callable[[Request], Awaitable[Response]]


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
    sign_in = SignIn(world)
    home = Home(world, sign_in)
    pages = _Subs(world, tokens, sign_in)
    return Starlette(
        routes=[
            Route("/", pages.front_door),
            Route("/Login", sign_in.login_form, methods=["GET"]),
            Route("/Login", sign_in.login, methods=["POST"]),
            *assets(),
            Route("/{code}", pages.front_door),
            Route("/{code}/App/frmVerification", sign_in.code_form, methods=["GET"]),
            Route("/{code}/App/frmVerification", sign_in.code, methods=["POST"]),
            Route("/{code}/App/frmLicence", home.licence, methods=["GET"]),
            Route("/{code}/App/frmLicence", home.pay_later, methods=["POST"]),
            Route("/{code}/App/home", home.home),
            Route("/{code}/App/AllInformed", home.all_informed, methods=["POST"]),
            *(Route(f"/{{code}}/App/Reports/{kind.page}", pages.report(kind)) for kind in KINDS),
        ],
        middleware=[Middleware(Witness, sign_in=sign_in)],
        exception_handlers={HTTPException: refusal},
    )


class _Subs:
    """The pages that belong to nobody else, each a handler."""

    def __init__(self, world: World, tokens: OneTimeTokens, sign_in: SignIn) -> None:
        self._world = world
        self._tokens = tokens
        self._sign_in = sign_in

    async def front_door(self, request: Request) -> Response:
        self._world.reach("td", "page", find_store("td", request.path_params.get("code", "")))
        return RedirectResponse("/Login", 302)

    def report(self, kind: ReportKind) -> Handler:
        """The page around the report app."""

        async def shown(request: Request) -> Response:
            store = self._sign_in.store_of(request)
            if store is None:
                return signed_out()
            await self._world.arrive("td", "page", store)
            store = self._world.store_shown(store, "page")
            return screen(
                "td_report.html",
                title=store.title,
                report=kind.title,
                word=kind.word,
                reports=self._world.urls["reports"],
                token=self._tokens.issue(store),
                code=store.code,
            )

        return shown
