"""The panel's front ends: ``store`` as it was, ``storepanel`` as it is now. Pages only; every figure comes from the API.

They differ in their login form's markup and in the key under which the browser keeps the token.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crm_assets.sandbox.screens import assets, refusal, screen
from crm_assets.sandbox.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """One front end. ``is_old`` may move away: see the fault ``moved``."""

    login_page: str
    token_key: str
    is_old: bool = False


FRONTS: Mapping[str, Front] = {
    "store": Front(login_page="uc_login_old.html", token_key="token", is_old=True),  # noqa: S106
    "storepanel": Front(login_page="uc_login.html", token_key="uclean_auth_token"),  # noqa: S106
}


def panel_app(world: World, front: Front) -> Starlette:
    def page(name: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            await world.arrive("uc", "page")
            return _moved(world, front, request) or screen(
                name,
                api=world.urls["api"],
                token_key=front.token_key,
                session=world.options.uc_session,
                today=world.clock.today(),
                closed=_closed(world),
            )

        return answer

    async def home(request: Request) -> Response:
        world.reach("uc", "page")
        return _moved(world, front, request) or RedirectResponse("/dashboard", 302)

    return Starlette(
        routes=[
            Route("/", home),
            Route("/login", page(front.login_page)),
            Route("/dashboard", page("uc_dashboard.html")),
            Route("/gst-report", page("uc_gst.html")),
            *assets(),
        ],
        exception_handlers={HTTPException: refusal},
    )


def _closed(world: World) -> str:
    """The days that no calendar offers, as ISO dates from and to."""
    closed = world.faults.take("close_days", "uc", None, "page")
    return f"{closed.first} {closed.last}" if closed else ""


def _moved(world: World, front: Front, request: Request) -> Response | None:
    """The same page of the new front, while the old one is away. "For good", it says, but it lets no browser remember it."""
    moved = world.faults.take("moved", "uc", None, "page") if front.is_old else None
    if moved is None:
        return None
    new = urlsplit(world.urls["storepanel"])
    address = f"{new.scheme}://{moved.host or new.hostname}:{new.port}{request.url.path}"
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(address + query, 301, headers={"Cache-Control": "no-store"})
