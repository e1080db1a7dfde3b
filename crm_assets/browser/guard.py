"""The route guard: a store's browser talks to the hosts of its CRM and to no other; what it was kept from is counted.

Two fences, because one has a hole: a route sees what pages ask for and not where a redirect leads; the browser's own name
resolution sees every connection, and nothing of a proxy's. Which hosts a CRM has stands in ``stores.yaml``.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Request, Route, WebSocketRoute

NETWORK = ("http", "https", "ws", "wss")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostGuard:
    """Lets requests to ``hosts`` pass (lower case, ``*.example.com`` allowed); ``blocked`` counts the others by host name."""

    hosts: tuple[str, ...]
    blocked: Counter[str] = field(default_factory=Counter)
    refused_pages: list[str] = field(default_factory=list)

    @staticmethod
    def of(addresses: Iterable[str], hosts: Iterable[str]) -> "HostGuard":
        """The guard of these addresses' hosts and these further host names."""
        named = {urlsplit(address).hostname or "" for address in addresses} | {host.lower() for host in hosts}
        return HostGuard(hosts=tuple(sorted(filter(None, named))))

    @property
    def browser_argument(self) -> str:
        """The fence inside the browser: every other name does not exist, wherever a redirect leads."""
        return "--host-resolver-rules=" + ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in self.hosts)])

    async def stand_before(self, context: "BrowserContext") -> None:
        """The fence before the pages: what they ask of other hosts is refused, and counted however it was found out."""
        await context.route(self._elsewhere(), _refuse)
        await context.route_web_socket(self._elsewhere(), lambda socket: self._hang_up(socket))
        context.on("request", lambda request: self._count(request))

    def allows(self, url: str) -> bool:
        """Whether this address may be asked. What never leaves the browser (``blob:``, ``data:``, ``about:``) always may."""
        parts = urlsplit(url)
        return parts.scheme not in NETWORK or any(
            fnmatchcase((parts.hostname or "").lower(), own) for own in self.hosts
        )

    def summary(self) -> str:
        """``3 requests to 2 other hosts: a.example, b.example``."""
        return f"{self.blocked.total()} requests to {len(self.blocked)} other hosts: {', '.join(sorted(self.blocked))}"

    def _count(self, request: "Request") -> None:
        if self.allows(request.url):
            return
        self._note(request.url)
        if request.is_navigation_request() and request.frame.parent_frame is None:
            self.refused_pages.append(request.url.split("?")[0])

    async def _hang_up(self, socket: "WebSocketRoute") -> None:
        self._note(socket.url)  # no request event tells of it
        await socket.close()

    def _note(self, url: str) -> None:
        self.blocked[urlsplit(url).hostname or ""] += 1

    def _elsewhere(self) -> re.Pattern[str]:
        """Every network address of another host; matched by the driver, so that what passes costs no detour."""
        own = "|".join(re.escape(host).replace(r"\*", "[^/:]*") for host in self.hosts)
        return re.compile(rf"^(?:https?|wss?)://(?!(?:[^/@]*@)?(?:{own})(?::\d+)?(?:[/?#]|$))", re.IGNORECASE)


async def _refuse(route: "Route") -> None:
    await route.abort("blockedbyclient")
