"""The route guard: what a store's browser may ask of whom, and that what it was kept from is counted."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from playwright.async_api import Error, Page

from crm_assets.browser.chrome import BrowserChoice, open_page
from crm_assets.browser.guard import HostGuard

CHOICE = BrowserChoice(channel="chrome", path=None, headless=True)


class Server(BaseHTTPRequestHandler):
    """Answers a few pages, and remembers which host it was asked as."""

    seen: ClassVar[Counter[str]] = Counter()
    pages: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        host, port = self.headers["Host"].split(":")
        Server.seen[f"{host}{self.path}"] += 1
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{port}/caught")
            self.end_headers()
            return
        body = Server.pages.get(self.path, "<p>hello</p>").replace("PORT", port).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the server's own name

    def log_message(self, *_arguments: Any) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    Server.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def visit(guard: HostGuard, look: Callable[[Page], Awaitable[Any]]) -> Any:
    async def once() -> Any:
        async with open_page(CHOICE, owner="a test", profile=None, guard=guard, page_timeout_seconds=5) as browser:
            return await look(browser.page)

    return asyncio.run(once())


PAGE = """
<img src="http://localhost:PORT/picture.png">
<script src="http://localhost:PORT/script.js"></script>
<iframe src="http://localhost:PORT/frame"></iframe>
<form method="post" action="http://localhost:PORT/form"></form>
<script>
  fetch("http://localhost:PORT/fetched").catch(() => {});
  navigator.sendBeacon("http://localhost:PORT/beacon", "secret");
  new WebSocket("ws://localhost:PORT/socket");
  fetch("/away").catch(() => {});
</script>
"""


def test_a_page_reaches_its_own_host_and_no_other(server: str) -> None:
    Server.pages["/page"] = PAGE
    guard = HostGuard.of([server], [])

    async def look(page: Page) -> None:
        await page.goto(f"{server}/page")
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate("fetch('/own').then(answer => answer.status)") == 200

    visit(guard, look)
    assert [asked for asked in Server.seen if asked.startswith("localhost")] == []
    assert Server.seen["127.0.0.1/own"] == 1
    assert guard.blocked["localhost"] >= 6, "the page may end before its last request is told"
    assert guard.summary() == f"{guard.blocked.total()} requests to 1 other hosts: localhost"
    assert guard.refused_pages == [], "a frame is not the page"


@pytest.mark.parametrize("way", ["goto", "redirect", "link", "form"])
def test_a_page_is_not_led_to_another_host(server: str, way: str) -> None:
    guard = HostGuard.of([server], [])
    elsewhere = server.replace("127.0.0.1", "localhost")
    Server.pages["/link"] = (
        f'<a href="{elsewhere}/caught">on</a><form action="{elsewhere}/caught"><input name="p"></form>'
    )

    async def look(page: Page) -> None:
        if way in ("goto", "redirect"):
            with pytest.raises(Error):
                await page.goto(f"{elsewhere}/caught" if way == "goto" else f"{server}/away")
            return
        await page.goto(f"{server}/link")
        async with page.expect_event("requestfailed"):
            await page.evaluate(
                "document.querySelector('a').click()" if way == "link" else "document.forms[0].submit()"
            )

    visit(guard, look)
    assert [asked for asked in Server.seen if asked.startswith("localhost")] == []
    assert [page.split("?")[0] for page in guard.refused_pages] == [f"{elsewhere}/caught"]


def test_a_further_host_of_the_crm_is_let_through(server: str) -> None:
    guard = HostGuard.of([server], ["localhost"])

    async def look(page: Page) -> int:
        answer = await page.goto(server.replace("127.0.0.1", "localhost") + "/caught")
        return answer.status if answer else 0

    assert visit(guard, look) == 200
    assert guard.blocked == Counter()


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://subs.example.com/a668", True),
        ("https://SUBS.example.com:8443/a668?x=http://other.example", True),
        ("https://user@subs.example.com/", True),
        ("https://a.files.example.net/x.xlsx", True),
        ("https://files.example.net/x.xlsx", False),
        ("https://subs.example.com.evil.example/", False),
        ("https://subs.example.com@evil.example/", False),
        ("https://evil.example/subs.example.com", False),
        ("http://10.0.0.1/", False),
        ("wss://evil.example/", False),
        ("blob:https://subs.example.com/1", True),
        ("data:text/html,x", True),
        ("about:blank", True),
    ],
)
def test_an_address_is_known_by_its_host_alone(url: str, allowed: bool) -> None:
    guard = HostGuard.of(["https://subs.example.com"], ["*.files.example.net"])
    assert guard.allows(url) is allowed
    if url.partition(":")[0] in ("http", "https", "ws", "wss"):
        assert (guard._elsewhere().match(url) is None) is allowed
