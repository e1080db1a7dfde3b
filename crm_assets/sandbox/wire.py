"""Connections that can be cut: a request that gets no answer at all, not even a refusal.

uvicorn's own protocol, with its connection's end handed to the apps. Whether a portal is down is asked of ``faults``.
"""

import asyncio
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol


class NoAnswer(HTTPException):
    """The portal is down. Who is told so all the same is told 503."""

    def __init__(self) -> None:
        super().__init__(503)


class CuttableProtocol(H11Protocol):
    """Gives every request of a connection ``state.cut``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": transport.abort}


async def cut(request: Request) -> Response:
    """Close the connection of this request; what is returned reaches nobody."""
    end: Callable[[], None] = request.state.cut
    end()
    await asyncio.sleep(0)  # the loop tells the protocol that the connection is lost, so that nothing is written to it
    return Response(status_code=503)
