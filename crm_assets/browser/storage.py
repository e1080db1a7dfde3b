"""What a page remembers, out of the browser and back into another.

Cookies, localStorage and IndexedDB are Playwright's storage state; sessionStorage, which it leaves out, is carried here by hand.
Playwright carries no blobs and no CryptoKeys of an IndexedDB. Files belong to ``sessions.py``.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page, Route

FRAME_SECONDS = 5
TRIES = 2
EMPTY_PAGE = '<!doctype html><link rel="icon" href="data:,">'  # without the link, a headed browser asks for an icon
READ = """() => [location.origin, Array.from({length: sessionStorage.length}, (_, at) => sessionStorage.key(at))
    .map(name => [name, sessionStorage.getItem(name)])]"""
WRITE = "items => items.forEach(([name, value]) => sessionStorage.setItem(name, value))"


async def captured(page: "Page") -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The context's storage state, and the page's sessionStorage by origin; a frame that does not answer is skipped."""
    kept: dict[str, dict[str, str]] = {}
    for origin, items in await asyncio.gather(*map(_items, page.frames)):
        if items and _is_web(origin):
            kept.setdefault(origin, items)  # the main frame comes first, and its word counts
    state = await page.context.storage_state(indexed_db=True)
    return dict(state), kept


async def restore_session_storage(page: "Page", session_storage: Mapping[str, Mapping[str, str]]) -> None:
    """Put the values back before a portal's script runs, asking the network for nothing; the page ends at about:blank.

    An init script could do it too, but would bring a value back each time the portal deletes it.
    """
    for origin, items in session_storage.items():
        if items and _is_web(origin):
            await _fill(page, origin, items)
    if session_storage:
        await page.goto("about:blank")


async def _fill(page: "Page", origin: str, items: Mapping[str, str]) -> None:
    """Stand on an empty page of the origin, served by ourselves, and write there."""

    async def answer(route: "Route") -> None:
        await route.fulfill(body=EMPTY_PAGE, content_type="text/html")

    addresses = re.compile(f"^{re.escape(origin)}/")
    await page.route(addresses, answer)
    try:
        await page.goto(f"{origin}/")
        await page.evaluate(WRITE, [list(item) for item in items.items()])
    finally:
        await page.unroute(addresses, answer)


async def _items(frame: "Frame") -> tuple[str, dict[str, str]]:
    """A frame's origin and its items; nothing when it is gone, sandboxed or silent.

    A frame that navigated away under the question is asked again.
    """
    from playwright.async_api import Error

    for _ in range(TRIES):
        try:
            async with asyncio.timeout(FRAME_SECONDS):
                origin, items = await frame.evaluate(READ)
                return origin, dict(items)
        except Error:
            continue
        except TimeoutError:
            break
    return "", {}


def _is_web(origin: str) -> bool:
    return origin.startswith(("http://", "https://"))
