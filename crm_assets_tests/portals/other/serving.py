"""Serves a stand-in on local ports, and says replies shortly. What is served stands in ``tumbledry`` and ``uclean``."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

type Reply = str | int | dict[str, object] | tuple[int, str | dict[str, object]]
"""``/path``: go there; other text: a page; a dict: JSON; a number: that status and nothing else; both: as a pair."""

NO_EVAL = {"content-security-policy": "script-src 'unsafe-inline'"}


def answer(reply: Reply) -> Response:
    """A reply as a response."""
    if isinstance(reply, int):
        return Response(status_code=reply)
    status, body = reply if isinstance(reply, tuple) else (200, reply)
    if isinstance(body, dict):
        return JSONResponse(body, status)
    if body.startswith("/"):
        return RedirectResponse(body, 302)
    return HTMLResponse(f"<!doctype html><title>Store</title>{body}", status, NO_EVAL)


@contextmanager
def served(app: Starlette, origins: int) -> Iterator[list[str]]:
    """The same app at as many origins, which are told by their ports."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(origins)]
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    )
    thread = Thread(target=lambda: asyncio.run(server.serve(sockets=sockets)), daemon=True)
    thread.start()
    try:
        yield [f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    finally:
        server.should_exit = True
        thread.join()
