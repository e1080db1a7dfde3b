"""What a page remembers goes from one browser into another, through a profile's file, in a real Chromium."""

import asyncio
import socket
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error, Frame, Page, async_playwright

from crm_assets.browser import storage
from crm_assets.browser.chrome import QUIET, system_browser
from crm_assets.browser.profile import Profile
from crm_assets.browser.sessions import Profiles
from crm_assets.browser.storage import captured, restore_session_storage
from crm_assets.model import Store

STORE = Store(crm="uc", code="sector56", name="Sector 56", first_day=date(2025, 11, 1))
ODD = {"tab": "one", "length": "x", "__proto__": "y", "": "empty name", "text": "₹ \n\0 \ud800"}
REMEMBER = """async items => {
    localStorage.setItem("token", "local");
    items.forEach(([name, value]) => sessionStorage.setItem(name, value));
    const opened = indexedDB.open("portal", 3);
    opened.onupgradeneeded = () => opened.result.createObjectStore("keys", {keyPath: "id"});
    await new Promise(done => opened.onsuccess = done);
    const writing = opened.result.transaction("keys", "readwrite");
    writing.objectStore("keys").put({id: 7, bytes: new Uint8Array([1, 2, 255]), since: new Date(0)});
    await new Promise(done => writing.oncomplete = done);
    opened.result.close();
}"""
RECALL = """async () => {
    const opened = indexedDB.open("portal");
    await new Promise(done => opened.onsuccess = done);
    const reading = opened.result.transaction("keys").objectStore("keys").get(7);
    await new Promise(done => reading.onsuccess = done);
    const {bytes, since} = reading.result;
    return {cookie: document.cookie, local: localStorage.getItem("token"), bytes: [...bytes], since: since.toISOString(),
        version: opened.result.version, session: await __SESSION__};
}"""
SESSION = """(() => Array.from({length: sessionStorage.length}, (_, at) => sessionStorage.key(at))
    .map(name => [name, sessionStorage.getItem(name)]))()"""
AT_START = "<script>window.atStart = sessionStorage.getItem('tab')</script>"


@dataclass(frozen=True, slots=True)
class Site:
    """A tiny portal: what it answers by path, and the headers it was asked with."""

    server: ThreadingHTTPServer
    pages: dict[str, str] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def requests(self) -> int:
        return len(self.asked["host"])


@contextmanager
def serving() -> Iterator[Site]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/favicon.ico":
                return self.send_error(404)
            for name, value in self.headers.items():
                found.asked[name.lower()].append(value)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Set-Cookie", "uc_session=good; Max-Age=3600")
            self.end_headers()
            self.wfile.write(found.pages.get(self.path, AT_START).encode())
            return None

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        found = Site(server)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser of its own: the system's, or Playwright's."""
    path = system_browser(headless=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*QUIET, "--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def fresh_page() -> AsyncIterator[Page]:
    async with chromium() as browser:
        yield await browser.new_page()


def nobodys_origin() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def session_items(page: Page) -> dict[str, str]:
    return dict(await page.evaluate(SESSION))


@pytest.mark.parametrize("keys", [(), (bytes(32),)], ids=["plain", "sealed"])
def test_everything_a_portal_remembers_survives_into_a_new_browser(
    site: Site, tmp_path: Path, keys: tuple[bytes, ...]
) -> None:
    profiles = Profiles(tmp_path / "profiles", keys=keys)

    async def first() -> None:
        async with fresh_page() as page:
            await page.goto(site.origin)
            await page.evaluate(REMEMBER, [list(item) for item in ODD.items()])
            state, session_storage = await captured(page)
            assert session_storage == {site.origin: ODD}
            profiles.save(STORE, Profile(state=state, session_storage=session_storage), keep_previous=True)

    async def second() -> Any:
        profile = profiles.load(STORE)
        assert profile
        async with chromium() as browser:
            page = await (await browser.new_context(storage_state=dict(profile.state))).new_page()
            await restore_session_storage(page, profile.session_storage)
            await page.goto(site.origin)
            assert await page.evaluate("window.atStart") == "one"
            return await page.evaluate(RECALL.replace("__SESSION__", SESSION))

    asyncio.run(first())
    site.asked.clear()
    recalled = asyncio.run(second())
    assert dict(recalled.pop("session")) == ODD
    assert recalled == {
        "cookie": "uc_session=good",
        "local": "local",
        "bytes": [1, 2, 255],
        "since": "1970-01-01T00:00:00.000Z",
        "version": 3,
    }
    assert site.asked["cookie"] == ["uc_session=good"]


def test_playwright_takes_our_plain_file_and_we_take_its_own(site: Site, tmp_path: Path) -> None:
    profiles = Profiles(tmp_path / "profiles")

    async def there_and_back() -> None:
        async with chromium() as browser:
            page = await browser.new_page()
            await page.goto(site.origin)
            state, _ = await captured(page)
            path = profiles.save(STORE, Profile(state=state), keep_previous=True)
            context = await browser.new_context(storage_state=path)
            assert await context.storage_state(indexed_db=True) == state
            await context.storage_state(path=path)
            path.chmod(0o600)
            loaded = profiles.load(STORE)
            assert loaded
            assert loaded.state["cookies"] == state["cookies"]
            assert loaded.fingerprint is None

    asyncio.run(there_and_back())


def test_values_are_put_back_without_a_request_and_before_the_portals_scripts() -> None:
    origins = [nobodys_origin(), "https://portal.invalid"]

    async def once() -> None:
        async with fresh_page() as page:
            await restore_session_storage(page, {origin: {"tab": origin} for origin in origins})
            assert page.url == "about:blank"
            for origin in origins:
                await page.route(f"{origin}/home", lambda route: route.fulfill(body=AT_START, content_type="text/html"))
                await page.goto(f"{origin}/home")
                assert await page.evaluate("window.atStart") == origin

    asyncio.run(once())


def test_what_the_portal_deletes_stays_deleted_and_its_requests_reach_it(site: Site) -> None:
    async def once() -> None:
        async with fresh_page() as page:
            await restore_session_storage(page, {site.origin: {"tab": "one", "other": "two"}})
            assert site.requests == 0
            await page.goto(site.origin)
            await page.evaluate("sessionStorage.removeItem('tab')")
            await page.reload()
            assert await page.evaluate("window.atStart") is None
            assert await session_items(page) == {"other": "two"}
            assert site.requests == 2

    asyncio.run(once())


@pytest.mark.parametrize("nothing", [{}, {"null": {"a": "b"}, "file://": {"a": "b"}, "about:blank": {"a": "b"}}])
def test_what_belongs_to_no_portal_is_not_put_back(nothing: dict[str, dict[str, str]]) -> None:
    async def once() -> None:
        async with fresh_page() as page:
            await restore_session_storage(page, nothing)
            assert page.url == "about:blank"
            assert (await captured(page))[1] == {}

    asyncio.run(once())


def test_frames_are_heard_too_and_those_that_cannot_answer_are_skipped(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame of another site is kept from its storage by Chromium, or silent when busy."""
    monkeypatch.setattr(storage, "FRAME_SECONDS", 1)
    stranger = site.origin.replace("127.0.0.1", "localhost")
    frames = (
        f"{stranger}/frame",
        f"{stranger}/busy",
        "/sandboxed' sandbox='",
        "data:text/html,x",
        "about:blank",
        "/same",
    )
    site.pages["/frame"] = site.pages["/same"] = "<script>sessionStorage.setItem('frame', location.pathname)</script>"

    async def once() -> Any:
        async with fresh_page() as page:
            await page.goto(site.origin)
            busy = next(frame for frame in page.frames if frame.url.endswith("/busy"))
            await busy.evaluate("setTimeout(() => { while (true) {} })")
            return (await captured(page))[1]

    with serving() as neighbour:
        neighbour.pages["/frame"] = site.pages["/frame"]
        addresses = (*frames, f"{neighbour.origin}/frame")
        site.pages["/"] = "<script>sessionStorage.setItem('tab', 'main')</script>" + "".join(
            f"<iframe src='{address}'></iframe>" for address in addresses
        )
        heard = asyncio.run(once())
    assert heard == {site.origin: {"tab": "main", "frame": "/same"}, neighbour.origin: {"frame": "/frame"}}


def test_a_frame_that_moves_on_under_the_question_is_asked_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate, interruptions = Frame.evaluate, [Error("Execution context was destroyed")]

    async def interrupted(frame: Frame, *arguments: Any) -> Any:
        if interruptions:
            raise interruptions.pop()
        return await evaluate(frame, *arguments)

    async def once() -> None:
        async with fresh_page() as page:
            await page.goto(site.origin)
            await page.evaluate("sessionStorage.setItem('tab', 'one')")
            monkeypatch.setattr(Frame, "evaluate", interrupted)
            assert (await captured(page))[1] == {site.origin: {"tab": "one"}}

    asyncio.run(once())
    assert interruptions == []
