"""The sandbox itself: one uvicorn server per origin, all on one event loop in a thread of its own, and its handles.

Start, stop and compose. What is served lives in ``tumbledry``, ``uclean`` and ``control``.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from threading import Thread
from types import TracebackType
from typing import Self, Unpack

import uvicorn
from starlette.applications import Starlette

from crm_assets.sandbox.books import Books
from crm_assets.sandbox.clock import SandboxClock
from crm_assets.sandbox.control import control_app
from crm_assets.sandbox.faults import FaultWords, fault_of
from crm_assets.sandbox.journal import Journal
from crm_assets.sandbox.memory import Memory
from crm_assets.sandbox.options import SandboxOptions
from crm_assets.sandbox.stores import known_store, secrets, stores_yaml, totp_secret
from crm_assets.sandbox.tumbledry.reports import reports_app
from crm_assets.sandbox.tumbledry.subs import OneTimeTokens, subs_app
from crm_assets.sandbox.uclean.api import api_app
from crm_assets.sandbox.uclean.panel import FRONTS, panel_app
from crm_assets.sandbox.wire import CuttableProtocol
from crm_assets.sandbox.world import World

ORIGINS = ("subs", "reports", "store", "storepanel", "api", "control")
_HOST = "127.0.0.1"
_KEEP_ALIVE_SECONDS = 600
"""A signed-in browser is known by its connections (see ``sessions``), so they are kept open."""

_GRACE_SECONDS = 1
_HISTORY = timedelta(days=120)


class Sandbox:
    """Both portals, running between ``start()`` and ``stop()``, or inside ``with``.

    ``urls``, ``books`` and ``log`` are there once it was started; ``clock`` can be set before.
    """

    urls: Mapping[str, str]
    books: Books
    log: Journal

    def __init__(self, options: SandboxOptions | None = None, clock: SandboxClock | None = None) -> None:
        self.options = options or SandboxOptions()
        self.clock = clock or SandboxClock()

    def start(self) -> Self:
        """Take the ports and serve; connections are accepted from the moment this returns."""
        memory = Memory(self.options.state_dir)
        with ExitStack() as taken:
            sockets = {origin: taken.enter_context(self._listening(origin, memory)) for origin in ORIGINS}
            taken.pop_all()
        memory.ports.update({origin: each.getsockname()[1] for origin, each in sockets.items()})
        memory.save()
        self.urls = {origin: f"http://{_HOST}:{memory.ports[origin]}" for origin in ORIGINS}
        self._world = World.built(self.options, self.urls, self.clock, memory)
        self.books, self.log = self._world.books, self._world.journal
        self._servers = {origin: _server(app) for origin, app in _apps(self._world).items()}
        self._thread = Thread(target=self._serve, args=[sockets], name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Answer what is being answered, then close every port."""
        for server in self._servers.values():
            server.should_exit = True
        self._thread.join()

    def secrets(self) -> dict[str, str]:
        """The four logins, under the names in which the product reads its environment."""
        return secrets(self.options.seed)

    def stores_yaml(self) -> str:
        """A ``stores.yaml`` that points at this sandbox."""
        return stores_yaml(self.urls, self.options.first_day or self.clock.today() - _HISTORY)

    def fault(self, name: str, **words: Unpack[FaultWords]) -> None:
        """Switch a bad day on; the names, and what each word means, stand in ``faults``."""
        self._world.fault(fault_of(name, **words))

    def clear_faults(self) -> None:
        self._world.faults.clear()

    def begin_waits_anew(self) -> None:
        """At the real pace the next waits are the first ones again, so that two ways can be timed on the same ones."""
        self._world.pace.begin_anew()

    def otp_code(self, account: str) -> str:
        """The code last sent to the mobile of an account such as ``td/a668``, while it is in force."""
        codes = self._world.codes.in_force()
        if account not in codes:
            raise LookupError(f"{account}: no code is in force, a login must ask for one; in force for {sorted(codes)}")
        return codes[account]

    def totp_secret(self, account: str) -> str:
        """What the account's authenticator app was set up with."""
        return totp_secret(self.options.seed, known_store(account))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self, sockets: Mapping[str, socket.socket]) -> None:
        async def all_origins() -> None:
            await asyncio.gather(*(server.serve(sockets=[sockets[origin]]) for origin, server in self._servers.items()))

        asyncio.run(all_origins())

    def _listening(self, origin: str, memory: Memory) -> socket.socket:
        """The port that was asked for; else the one of last time if it is free; else any."""
        if asked := self.options.ports.get(origin):
            return _listen(asked)
        try:
            return _listen(memory.ports.get(origin, 0))
        except OSError:
            return _listen(0)


def _listen(port: int) -> socket.socket:
    return socket.create_server((_HOST, port), backlog=128)


def _server(app: Starlette) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=CuttableProtocol,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )


def _apps(world: World) -> dict[str, Starlette]:
    tokens = OneTimeTokens(world)
    return {
        "subs": subs_app(world, tokens),
        "reports": reports_app(world, tokens),
        **{origin: panel_app(world, front) for origin, front in FRONTS.items()},
        "api": api_app(world),
        "control": control_app(world),
    }
