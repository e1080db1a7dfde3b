"""The portals' hosts, step by step: name, connection, certificate, answer, clock.

Asked with the standard library and not with a browser, so that the step that fails has a name. A proxy is not used even where
one is configured; browsers may go through it, and reach what is red here. Nothing is asked for but ``HEAD /``, without a cookie
or a login, and no redirect is followed. One green finding stands for all the steps of a host.
"""

import http.client
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

from crm_assets.browser.guard import HostGuard
from crm_assets.doctor import certificates
from crm_assets.doctor.certificates import Trust, Untrusted
from crm_assets.doctor.findings import Finding, green, red, yellow
from crm_assets.doctor.parts import within
from crm_assets.model import Clock

SUBJECT = "host"
STEP_SECONDS = 5.0
STEPS = 4
SKEWED_SECONDS, WRONG_SECONDS = 60, 600
SEE_SITE = "See site in stores.yaml, and this machine's network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a host said to ``HEAD /``: ``ahead`` is its clock minus ours in seconds, ``leads_to`` the address of a redirect."""

    status: int
    ahead: float | None
    leads_to: str | None


@dataclass(frozen=True, slots=True)
class Broken(Exception):
    """A step failed, and those after it cannot be tried."""

    found: str
    next_step: str


def look_at_host(address: str, guard: HostGuard, clock: Clock, *, step_seconds: float = STEP_SECONDS) -> list[Finding]:
    """Every problem of one address (``https://subs.example.com``), or one green finding; ``guard`` knows the CRM's hosts."""
    parts = urlsplit(address)
    name = f"{parts.hostname}:{_port(parts)}"
    try:
        places = _resolved(parts, step_seconds)
        began = time.monotonic()
        connection = _connected(parts, places, step_seconds)
        took = time.monotonic() - began
        with connection:
            secured, trust = _secured(parts, connection, step_seconds)
            with secured:
                answer = _answer(parts, secured, clock, step_seconds)
    except Broken as broken:
        return [red(SUBJECT, name, broken.found, broken.next_step)]
    problems = [*certificates.judged(SUBJECT, name, trust), *_judged(name, address, answer, guard)]
    return problems or [green(SUBJECT, name, _well(places, took, trust, answer))]


def _well(places: list[str], took: float, trust: Trust | None, answer: Answer) -> str:
    reached = f"{places[0] if len(places) == 1 else f'{len(places)} addresses'}, connected in {took * 1000:.0f} ms"
    certificate = f", its certificate is good for {trust.days_left} days" if trust else ""
    clocks = "it tells no time" if answer.ahead is None else f"its clock is {abs(answer.ahead):.0f} s off ours"
    return f"{reached}{certificate}, answers {answer.status}, {clocks}"


def _port(parts: SplitResult) -> int:
    return parts.port or {"http": 80, "https": 443}[parts.scheme]


def _resolved(parts: SplitResult, seconds: float) -> list[str]:
    """The name's addresses, in the order in which the machine would try them."""
    host = parts.hostname or ""
    try:
        found = within(seconds, lambda: socket.getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM))
    except TimeoutError:
        raise Broken(f"its name is not resolved within {seconds:.0f} s", SEE_SITE) from None
    except (OSError, UnicodeError) as error:
        raise Broken(f"its name does not resolve: {_reason(error)}", SEE_SITE) from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _connected(parts: SplitResult, places: list[str], seconds: float) -> socket.socket:
    """A connection to the first of the addresses that takes one; the step's time is shared among them."""
    reason = ""
    for place in places:
        try:
            return socket.create_connection((place, _port(parts)), timeout=seconds / len(places))
        except TimeoutError:
            reason = f"no answer within {seconds:.0f} s"
        except OSError as error:
            reason = _reason(error)
    raise Broken(f"no connection to {', '.join(places)}: {reason}", SEE_SITE)


def _secured(parts: SplitResult, connection: socket.socket, seconds: float) -> tuple[socket.socket, Trust | None]:
    """The connection with TLS around it; an http:// address has none."""
    if parts.scheme == "http":
        return connection, None
    try:
        return within(seconds, lambda: certificates.shaken_hands(connection, parts.hostname or "", seconds))
    except TimeoutError:
        raise Broken(f"no TLS handshake within {seconds:.0f} s", SEE_SITE) from None
    except Untrusted as untrusted:
        raise Broken(untrusted.found, untrusted.next_step) from None
    except OSError as error:
        raise Broken(f"no TLS handshake: {_reason(error)}", SEE_SITE) from None


def _answer(parts: SplitResult, connection: socket.socket, clock: Clock, seconds: float) -> Answer:
    """The answer to ``HEAD /`` on a connection that stands."""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    client = kind(parts.hostname or "", _port(parts))
    client.sock = connection
    connection.settimeout(seconds)

    def ask() -> Answer:
        asked = clock()
        client.request("HEAD", "/", headers={"User-Agent": "crm_assets doctor", "Connection": "close"})
        with client.getresponse() as answer:
            ours = asked + (clock() - asked) / 2
            ahead = _ahead(answer.headers.get("Date"), answer.headers.get("Age"), ours)
            location = answer.headers.get("Location") if 300 <= answer.status < 400 else None
            return Answer(status=answer.status, ahead=ahead, leads_to=location)

    try:
        return within(seconds, ask)
    except TimeoutError:
        raise Broken(f"it takes connections and does not answer within {seconds:.0f} s", SEE_SITE) from None
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"it takes connections and breaks off: {_reason(error)}", SEE_SITE) from None


def _ahead(date: str | None, age: str | None, ours: datetime) -> float | None:
    """The server's clock minus ours; a cache on the way says by ``Age`` how old the date is. None when none can be read."""
    try:
        theirs = parsedate_to_datetime(date or "") + timedelta(seconds=int(age or 0))
    except ValueError:
        return None
    return ((theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)) - ours).total_seconds()


def _judged(name: str, address: str, answer: Answer, guard: HostGuard) -> Iterator[Finding]:
    """What is to be said of an answer, if anything."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        yield yellow(SUBJECT, name, f"it answers with a server error ({answer.status})", "Wait; runs try again later")
    target = urlsplit(urljoin(f"{address}/", answer.leads_to or ""))
    if not guard.allows(target.geturl()):
        found = f"the portal leads to {target.hostname}, which stores.yaml does not list"
        yield yellow(SUBJECT, name, found, "If the portal has moved there, see site in stores.yaml")
    if answer.ahead is not None and abs(answer.ahead) > SKEWED_SECONDS:
        level = red if abs(answer.ahead) > WRONG_SECONDS else yellow
        ways = "ahead of" if answer.ahead > 0 else "behind"
        found = f"its clock is {abs(answer.ahead):.0f} s {ways} ours, and requests are told apart by time"
        yield level(SUBJECT, name, found, "Set this machine's clock by NTP")


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()
