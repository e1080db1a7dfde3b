"""A visit: one store account open in one browser page, handed to a portal's verbs.

Names the step under way, knows what went wrong on the page meanwhile, keeps the attempt's deadline, and says Playwright's errors
in our words, with evidence. What a portal must provide stands in ``contract.py``.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlsplit

from crm_assets.browser.evidence import EvidenceShelf, Step
from crm_assets.browser.guard import HostGuard
from crm_assets.errors import BrowserFroze, CrmError, PortalChanged, PortalMoved, PortalUnavailable
from crm_assets.logs import say
from crm_assets.model import Clock, Store, Window

if TYPE_CHECKING:
    from playwright.async_api import APIResponse, BrowserContext, Dialog, Page, Request, Response

SETTLE_MILLISECONDS = 3000
LOCKED = re.compile(
    r"\b(account|user|login|profile)\b.{0,40}\b(locked|blocked|disabled|suspended|deactivated)"
    r"|\b(locked|blocked|disabled|suspended|deactivated)\b.{0,30}\b(account|user|login|profile)\b|too many .{0,20}attempts",
    re.IGNORECASE,
)
"""How portals say that an account is locked."""
LOCKED_STATUS, TOO_OFTEN = 423, 429


@dataclass(slots=True, kw_only=True)
class Visit:
    """``site`` is the portal's own model; ``ends_at`` is when the attempt must be over, on the event loop's clock.

    Of the step under way: ``pages_asked`` are the addresses it led to, redirects included; ``posts`` is what the page sent to
    the portal, ``answers`` what came back; ``server_error`` is the last 5xx answer to anything the page asked for, ``page_error``
    the last to a page itself, ``dialog`` the last JavaScript message box, which was closed. ``secrets`` are texts that must not
    show in evidence. ``pending_request`` (aware) is when an earlier attempt asked the portal for the window at hand, and did not
    wait to the end.
    """

    page: "Page"
    store: Store
    site: Any
    scratch: Path
    clock: Clock
    guard: HostGuard
    shelf: EvidenceShelf
    ends_at: float
    secrets: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    pages_asked: list[str] = field(default_factory=list)
    posts: list["Request"] = field(default_factory=list)
    answers: list["Response"] = field(default_factory=list)
    pending_request: datetime | None = None
    page_is_spent: bool = False
    server_error: str | None = None
    page_error: str | None = None
    dialog: str | None = None

    def __post_init__(self) -> None:
        # Functions of their own, because Playwright leaves a note on a method's object, and this one has no place for it.
        self.page.on("request", lambda request: self._remember(request))
        self.page.on("response", lambda response: self._notice(response))
        self.page.on("dialog", lambda dialog: self._close_dialog(dialog))

    @property
    def context(self) -> "BrowserContext":
        return self.page.context

    @property
    def at(self) -> str:
        """The step under way."""
        return self.steps[-1].name if self.steps else "start"

    @property
    def address(self) -> str:
        """Where the page is, without the query, which may hold a token."""
        return self.page.url.split("?")[0]

    def step(self, name: str) -> None:
        """Name what is being done: the log shows it, and an error says where it happened."""
        self.steps.append(Step(at=self.now(), name=name))
        self.server_error = self.page_error = self.dialog = None
        for noticed in (self.pages_asked, self.posts, self.answers):
            noticed.clear()
        say(self.store, name, level=logging.DEBUG)

    def now(self) -> datetime:
        return self.clock()

    def seconds_left(self) -> float:
        """Until the attempt must be over."""
        return self.ends_at - asyncio.get_running_loop().time()

    def scratch_file(self, window: Window) -> Path:
        """Where the export of a window is written, be it good or not."""
        return self.scratch / f"{window.first}_{window.last}.xlsx"

    def was_at(self, address: re.Pattern[str]) -> bool:
        """Whether this step led to such an address, be it for a moment."""
        return any(address.search(asked) for asked in self.pages_asked)

    def answers_that_decide(self) -> list["Response"]:
        """The answers to what carried a secret, such as a login; to everything sent where the page hides what it sends."""
        decisive = [sent for sent in self.posts if self._carries_secret(sent)] or self.posts
        return [answer for answer in self.answers if answer.request in decisive]

    async def goto(self, url: str) -> "Response | None":
        """Open a page. Raises PortalUnavailable for a server error, PortalMoved when it leads to a host nobody configured."""
        response = await self.page.goto(url, wait_until="domcontentloaded")
        self.refuse_server_error(response.status if response else 200, url)
        return response

    async def fetch(self, method: str, url: str, **options: Any) -> "APIResponse":
        """Call the portal's API with the session's cookies. Raises PortalUnavailable for a server error."""
        answer = await self.ask(method, url, **options)
        self.refuse_server_error(answer.status, url)
        return answer

    async def ask(self, method: str, url: str, **options: Any) -> "APIResponse":
        """The same, whatever is answered. Raises PortalMoved, before going there, when it redirects."""
        answer = await self.context.request.fetch(url, method=method, max_redirects=0, **options)
        if 300 <= answer.status < 400:
            raise self.moved(url, answer.headers.get("location", "nowhere"))
        return answer

    async def refresh_spent_page(self) -> None:
        """Load a page anew, to its end, that was scrubbed for evidence: its forms and links no longer work."""
        if self.page_is_spent and self.page.url.startswith("http"):
            await self.goto(self.page.url)
            await self.settle()
        self.page_is_spent = False

    async def settle(self) -> None:
        """Let the page finish what it was about to do: some go elsewhere by themselves right after they were shown."""
        from playwright.async_api import TimeoutError as StillBusy

        await self.page.wait_for_load_state("load")
        try:
            await self.page.wait_for_load_state("networkidle", timeout=SETTLE_MILLISECONDS)
        except StillBusy:
            return  # a page that never rests, such as one that polls

    def refuse_server_error(self, status: int, url: str) -> None:
        """Raise PortalUnavailable for a 5xx answer. The address is shown without its query: it may hold a token."""
        if status >= 500:
            raise PortalUnavailable(f"{self.store}: {url.split('?')[0]} answered {status} ({self.at}). Try again later")

    def refuse_noticed_error(self) -> None:
        """Raise PortalUnavailable when a page of this step, or what was sent, met a server error, whatever became of it.

        One that an ornament of the page met says nothing of the login.
        """
        if self.page_error:
            raise PortalUnavailable(f"{self.store}: {self.page_error} ({self.at}). Try again later")
        for answer in self.answers_that_decide():
            self.refuse_server_error(answer.status, answer.url)

    def refuse_other_hosts(self) -> None:
        """Raise PortalMoved when the page was led to a host that ``stores.yaml`` does not list."""
        if self.guard.refused_pages:
            raise self.moved(", ".join(self.guard.hosts), self.guard.refused_pages[-1])

    def moved(self, expected: str, found: str) -> PortalMoved:
        """The error that says where the portal leads instead."""
        host = urlsplit(found).hostname or found
        return PortalMoved(
            f"{self.store}: expected the portal at {expected.split('?')[0]}, but it leads to {found.split('?')[0]} "
            f"({self.at}). Nothing was sent there. If the portal has moved, write its new address under site in stores.yaml "
            f"(and {host} under hosts if it is only one more of its hosts)"
        )

    def _remember(self, request: "Request") -> None:
        if _is_page(request):
            self.pages_asked.append(request.url.split("?")[0])
        if request.method == "POST" and request.resource_type != "ping" and self.guard.allows(request.url):
            self.posts.append(request)

    def _notice(self, response: "Response") -> None:
        """Remember what the portal said: whoever then waits in vain can say why."""
        if response.status >= 500:
            self.server_error = f"{response.url.split('?')[0]} answered {response.status}"
            if _is_page(response.request):
                self.page_error = self.server_error
        if response.request in self.posts:
            self.answers.append(response)

    def _carries_secret(self, request: "Request") -> bool:
        sent = unquote_plus((request.post_data_buffer or b"").decode(errors="replace"))
        return any(secret in sent for secret in self.secrets)

    async def _close_dialog(self, dialog: "Dialog") -> None:
        if dialog.type == "beforeunload":
            await dialog.accept()  # the page may be left
            return
        self.dialog = dialog.message
        await dialog.dismiss()


def _is_page(request: "Request") -> bool:
    """Is it for the page itself, and not for something in it?"""
    return request.is_navigation_request() and request.frame.parent_frame is None


async def words_of(answer: "Response") -> str:
    """The answer's text; empty when the page went on before it could be read, which it does once it is signed in."""
    from playwright.async_api import Error

    try:
        return await answer.text()
    except (Error, UnicodeDecodeError):
        return ""


@asynccontextmanager
async def in_time(visit: Visit) -> AsyncIterator[None]:
    """The attempt's hard limit. The browser ends with the visit, so a frozen one cannot hold up another store."""
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(visit.ends_at):
            yield
    except TimeoutError:
        seconds = asyncio.get_running_loop().time() - began
        raise BrowserFroze(
            f"{visit.store}: not done after {seconds:.0f} s, during: {visit.at}. The browser was ended"
        ) from None


@asynccontextmanager
async def understood(visit: Visit) -> AsyncIterator[None]:
    """Playwright's errors in our words: what was waited for, and where. Every error names its store and leaves evidence.

    Playwright's own error is not kept as the cause: its call log holds what was typed and sent, passwords and tokens too.
    """
    from playwright.async_api import Error as BrowserError

    try:
        yield
    except BrowserError as error:
        raise await _with_evidence(visit, _in_our_words(visit, error)) from None
    except CrmError as error:
        if not str(error).startswith(f"{visit.store}: "):
            error.args = (f"{visit.store}: {error}",)  # the same error: it may carry more than its words
        raise await _with_evidence(visit, error) from None


def _in_our_words(visit: Visit, error: Any) -> CrmError:
    """What a failed call or a wait without an ending means."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    first_line = error.message.splitlines()[0].split("?")[0]
    if visit.guard.refused_pages:
        return visit.moved(", ".join(visit.guard.hosts), visit.guard.refused_pages[-1])
    if not isinstance(error, WaitedTooLong):
        return PortalUnavailable(f"{visit.store}: {first_line} (during: {visit.at})")
    if visit.server_error:
        return PortalUnavailable(f"{visit.store}: {visit.server_error} ({visit.at}). Try again later")
    return PortalChanged(f"{visit.store}: waited in vain during: {visit.at}; at {visit.address}. {first_line}")


async def _with_evidence(visit: Visit, error: CrmError) -> CrmError:
    """The error with the picture, the page and the steps that led to it. The set of an earlier one serves again."""
    if error.evidence:
        return error
    kept = await visit.shelf.keep(
        visit.page,
        visit.store,
        code=error.code,
        message=str(error),
        steps=visit.steps,
        notes=[visit.guard.summary()] if visit.guard.blocked else [],
        secrets=visit.secrets,
    )
    visit.page_is_spent = True
    if kept:
        error.evidence, error.seen_today = kept.folder, kept.seen_today
    return error
