"""The control origin: a page for people and a small API for tests to switch faults and the clock, and to read counts.

It changes the sandbox, never the portals' pages.
"""

from datetime import date, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_assets.sandbox.faults import FAULTS, Fault, FaultWords, fault_of
from crm_assets.sandbox.screens import assets, refusal, screen
from crm_assets.sandbox.stores import STORES, SandboxStore, login_of, totp_secret
from crm_assets.sandbox.world import World


def control_app(world: World) -> Starlette:
    control = _Control(world)
    return Starlette(
        routes=[
            Route("/", control.page),
            Route("/state", control.state),
            Route("/log", control.log),
            Route("/clock", control.set_clock, methods=["POST"]),
            Route("/faults", control.switch_on, methods=["POST"]),
            Route("/faults", control.clear, methods=["DELETE"]),
            *assets(),
        ],
        exception_handlers={HTTPException: refusal},
    )


class _Control:
    """The page and the calls, each a handler."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def page(self, _request: Request) -> Response:
        return screen("control.html")

    async def log(self, _request: Request) -> Response:
        return JSONResponse(self._world.journal.counts())

    async def state(self, _request: Request) -> Response:
        clock = self._world.clock
        return JSONResponse(
            {
                "urls": dict(self._world.urls),
                "pace": self._world.pace.name,
                "logins": self._logins(),
                "clock": {"now": clock.now().isoformat(), "stands_still": clock.stands_still},
                "known_faults": {name: kind.does for name, kind in FAULTS.items()},
                "codes": self._world.codes.in_force(),
                "faults": [_told(fault) for fault in self._world.faults.standing],
                "log": self._world.journal.counts(),
            }
        )

    async def switch_on(self, request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        try:
            self._world.fault(_fault(asked))
        except (TypeError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        return await self.state(request)

    async def clear(self, request: Request) -> Response:
        self._world.faults.clear()
        return await self.state(request)

    async def set_clock(self, request: Request) -> Response:
        asked: dict[str, Any] = await request.json()
        clock = self._world.clock
        if asked.get("set"):
            clock.set(datetime.fromisoformat(asked["set"]))
        if asked.get("advance_seconds"):
            clock.advance(timedelta(seconds=asked["advance_seconds"]))
        if asked.get("run"):
            clock.run()
        return await self.state(request)

    def _logins(self) -> list[dict[str, str]]:
        return [self._login(store) for store in STORES]

    def _login(self, store: SandboxStore) -> dict[str, str]:
        seed, urls, is_td = self._world.options.seed, self._world.urls, store.crm == "td"
        login = login_of(seed, store)
        return {
            "account": str(store),
            "user": login.user,
            "password": login.password,
            "authenticator": totp_secret(seed, store) if is_td else "",
            "opens": f"{urls['subs']}/{store.code}" if is_td else f"{urls['storepanel']}/login",
        }


def _fault(asked: dict[str, Any]) -> Fault:
    """A fault from its JSON; days are ISO dates."""
    if unknown := asked.keys() - {"name", *FaultWords.__annotations__}:
        raise ValueError(f"unknown words {sorted(unknown)}; there are name, {', '.join(FaultWords.__annotations__)}")
    days = {word: date.fromisoformat(asked[word]) for word in ("first", "last") if asked.get(word)}
    return fault_of(**{**asked, **days})


def _told(fault: Fault) -> dict[str, object]:
    return {"name": fault.name, "crm": fault.crm, "store": fault.store, "at": sorted(fault.at), "left": fault.left}
