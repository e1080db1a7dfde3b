"""Scrubbing: what must not be in evidence is taken out of the live page, and then out of every text that is written.

The table of patterns serves both passes: ``scrub.js`` gets it as an argument. What a page is made of (fields, tables, attributes)
is decided in ``scrub.js``; where evidence is kept, in ``evidence.py``. Cookies are never asked for.
"""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlsplit

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

MARK = "█"
WORLD = "crm_assets_evidence"
FRAME_SECONDS = 2
RELEASE_SECONDS = 0.4
LARGEST_FRAME = 500_000

# Patterns that Python and JavaScript read alike, without regard to case. What the first group matches stays.
_GAP = r"[ \u00a0\u2010-\u2014()-]{0,3}"
_NUMERIC_DATE = r"\d{1,2}[-/ ]\d{1,2}[-/ ](?:19|20)\d\d"
_OTP_WORD = r"(?:otp|code|pin|pincode|passcode|one[- ]time password|verification)"
_SECRET_WORD = r"\w*(?:token|session_?id|sessid|csrf|xsrf|passw(?:or)?d|pwd|secret|api_?key)\w*"  # noqa: S105 - a pattern
PERSONAL = (
    r"(?<!\d)(?:\+?91|0)?[6-9]\d{9}(?!\d)",  # a mobile number in one piece
    rf"(?<![\w-])(?!{_NUMERIC_DATE})(?:\+?91{_GAP}|0{_GAP})?[6-9](?:{_GAP}\d){{9}}(?!\d)",  # and in groups
    r"(?<!\d)[6-9]\d{4}\.\d{5}(?!\d)",
    rf"(?<!\w)\+\d{{1,3}}(?:{_GAP}\d){{7,12}}(?!\d)",  # any other country's
    r"(?<![\w-])0\d{2,4}[ -]\d{6,8}(?!\d)",  # a landline
    r"(?<!\w)[a-z]{1,4}\d{2,5}--\d{3,6}(?!\d)",  # the portals' placeholder for no number: A817--7461
    r"((?<![a-z])(?:phone|mobile|tel|whatsapp|contact)[a-z. ]{0,12}[:#= ]{1,3})\d{6,12}(?!\d)",
    r"(?<![\w.+%-])[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*",  # e-mail addresses and UPI ids
    r"(?<!\w)\d{2}[a-z]{5}\d{4}[a-z][a-z\d]z[a-z\d](?!\w)",  # a GSTIN
    rf"((?<![a-z]){_OTP_WORD}(?:\s+(?:is|number|no))?[\s:=#.-]{{0,4}})\d{{4,8}}(?!\d)",
    r"(?<![\w.])\d{4,8}(?=\s+is\s+(?:your|the)\b)",  # 123456 is your OTP
    r'("[\w-]*(?:name|phone|mobile|address|e?mail|gst|customer)[\w-]*"\s*:\s*")(?:[^"\\]|\\.)+',  # JSON shown as a page
)
CREDENTIALS = (
    r"(?<![a-z])eyJ[\w-]{8,}(?:\.[\w-]*){0,2}",  # a JWT
    r"((?<![a-z])bearer\s+)[\w.~+/=-]{8,}",
    r"((?<![a-z])basic\s+)(?=[\w+/]*[\d=])[\w+/=]{8,}",
    r"""((?<![a-z])authorization["']?\s*[:=]\s*["']?)[^\n<"']+""",
    r"((?<![a-z])(?:set-)?cookie\s*:\s*)[^\n<]+",
    rf"""((?<!\w){_SECRET_WORD}["']?\s*=\s*["']?)[^\s"'<>&;,\u2588]+""",
    rf'("{_SECRET_WORD}"\s*:\s*")(?:[^"\\]|\\.)+',
)
RANDOM = (
    # Sixteen letters and digits without a break, but for a word with a number at its end; then whatever hangs on it.
    r"(?<![a-z\d])(?![a-z]+\d+(?![a-z\d]))(?=[a-z]*\d)(?=\d*[a-z])[a-z\d]{16,}[\w+/=~-]*",
    r"(?<![\w+/=-])(?=[\w+/=~-]{20})(?:[a-z]+[+/_=~-]*\d+[+/_=~-]*){4,}[\w+/=~-]*",
    r"(?<![\w-])(?=[\w-]{20})(?=[\w-]*[a-z]\d+[a-z])[\w-]+",  # a digit between letters, as in a file's random name
    r"(?<![\da-f])[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}",  # a UUID
    r"(?<![\d.])\d{16,}",
    r"[a-z]{40,}",
)
# In the running text of a page only: what stands behind a label.
LABELLED = (
    r"((?<![a-z])(?:(?:customer|client|consumer|guest)(?:'s)?(?: name)?|full name|address|gstin|e-?mail(?: id)?"
    r"|(?:phone|mobile|contact|whatsapp)(?: (?:no|number|person))?)\.?\s*:\s*(?=\S))[^\n|;]+?(?=$|[\n|;]|,\s*[a-z ]{2,20}:)",
)

_TEXT_RULES = [re.compile(rule, re.IGNORECASE | re.ASCII) for rule in (*PERSONAL, *CREDENTIALS, *RANDOM)]
_HTML_RULES = [re.compile(rule, re.IGNORECASE | re.ASCII) for rule in (*PERSONAL, *CREDENTIALS)]


def scrub_text(text: str, secrets: Sequence[str] = ()) -> str:
    """A message, a step or a note, without the secrets and without what looks like a person's data or a token."""
    return _masked(text, [*_secret_rules(secrets), *_TEXT_RULES])


def scrub_html(text: str, secrets: Sequence[str] = ()) -> str:
    """The second pass over what ``scrub.js`` returned. Ids and file names look random in HTML and stay."""
    return _masked(text, [*_secret_rules(secrets), *_HTML_RULES])


def address(url: str, secrets: Sequence[str] = ()) -> str:
    """Where a page is, without login, query and fragment; of an address without a host, only the scheme."""
    if url in {"about:blank", "about:srcdoc"}:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return MARK
    if not parts.netloc:
        return f"{parts.scheme}:"
    host = parts.netloc.rpartition("@")[2]
    return scrub_text(f"{parts.scheme}://{host}{parts.path.partition(';')[0]}", secrets)


def _masked(text: str, rules: Iterable[re.Pattern[str]]) -> str:
    for rule in rules:
        text = rule.sub(rf"\g<1>{MARK}" if rule.groups else MARK, text)
    return text


def _secret_rules(secrets: Sequence[str]) -> list[re.Pattern[str]]:
    """Each secret as it may be written: plain, in an address, in HTML, in JSON; long ones first, one may hold another."""
    forms = {form for secret in secrets if secret.strip() for form in _written(secret.strip())}
    return [re.compile(re.escape(form), re.IGNORECASE) for form in sorted(forms, key=len, reverse=True)]


def _written(secret: str) -> set[str]:
    in_html = html.escape(secret)
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret, quote=False),
        in_html,
        in_html.replace("&#x27;", "&#39;"),
        in_html.replace("&#x27;", "'"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFound:
    """What ``scrub.js`` did in one frame: how many places it masked, and the frame's HTML when it was asked for."""

    url: str
    masked: int
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StillPage:
    """A page whose scripts stand still. One session per process: frames of other sites live in their own."""

    sessions: "Sequence[CDPSession]"
    secrets: Sequence[str]

    async def scrub(self, *, with_html: bool = False) -> tuple[list[FrameFound], bool]:
        """Scrub every frame, the main one first; also whether every one of them answered."""
        known = await asyncio.gather(*map(_frames, self.sessions), return_exceptions=True)
        frames = [
            (session, *frame) for session, tree in zip(self.sessions, known, strict=True) for frame in _told(tree)
        ]
        done = await asyncio.gather(*(self._in_frame(*frame, with_html) for frame in frames), return_exceptions=True)
        found = [frame for frame in done if isinstance(frame, FrameFound)]
        return found, len(found) == len(frames) and not any(isinstance(tree, BaseException) for tree in known)

    async def _in_frame(self, session: "CDPSession", frame_id: str, url: str, with_html: bool) -> FrameFound:
        """Run the script in a world of its own: no script of the page sees the secrets or changes what a field tells."""
        async with asyncio.timeout(FRAME_SECONDS):
            world = await session.send("Page.createIsolatedWorld", {"frameId": frame_id, "worldName": WORLD})
            answer = await session.send(
                "Runtime.callFunctionOn",
                {
                    "functionDeclaration": _script(),
                    "executionContextId": world["executionContextId"],
                    "arguments": [{"value": self._rules(with_html)}],
                    "returnByValue": True,
                },
            )
        told = answer["result"]["value"]
        return FrameFound(url=address(url, self.secrets), masked=told["masked"], html=told["html"])

    def _rules(self, with_html: bool) -> dict[str, Any]:
        secret = [rule.pattern for rule in _secret_rules(self.secrets)]
        return {
            "mark": MARK,
            "words": [*secret, *PERSONAL, *CREDENTIALS],
            "random": RANDOM,
            "labelled": LABELLED,
            "largest": LARGEST_FRAME if with_html else 0,
        }


@asynccontextmanager
async def held_still(page: "Page", secrets: Sequence[str]) -> AsyncIterator[StillPage]:
    """The page with its scripts stopped, so that nothing is drawn anew between the scrubbing and the picture."""
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(_session(page, page))]
        for frame in page.frames[1:]:
            if session := await _own_session(stack, page, frame):
                sessions.append(session)
        yield StillPage(sessions=sessions, secrets=secrets)


async def _own_session(stack: AsyncExitStack, page: "Page", frame: Any) -> "CDPSession | None":
    """The session of a frame that lives in a process of its own; None for one in its parent's."""
    from playwright.async_api import Error

    try:
        return await stack.enter_async_context(_session(page, frame))
    except Error as error:
        if "does not have a separate CDP session" in error.message or "Frame was detached" in error.message:
            return None
        raise


@asynccontextmanager
async def _session(page: "Page", target: Any) -> "AsyncIterator[CDPSession]":
    """A debugging session; leaving it lets the scripts run again."""
    session = await page.context.new_cdp_session(target)
    try:
        await session.send("Emulation.setScriptExecutionDisabled", {"value": True})
        yield session
    finally:
        await _released(session)


async def _released(session: "CDPSession") -> None:
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(RELEASE_SECONDS):
            await session.detach()
    except (TimeoutError, Error):
        return


async def _frames(session: "CDPSession") -> list[tuple[str, str]]:
    """Id and address of every frame of a session, parents before children."""
    async with asyncio.timeout(FRAME_SECONDS):
        tree = await session.send("Page.getFrameTree")

    def below(node: dict[str, Any]) -> list[tuple[str, str]]:
        here = (node["frame"]["id"], node["frame"]["url"])
        return [here, *(frame for child in node.get("childFrames", []) for frame in below(child))]

    return below(tree["frameTree"])


def _told(tree: "list[tuple[str, str]] | BaseException") -> list[tuple[str, str]]:
    return [] if isinstance(tree, BaseException) else tree


def _script() -> str:
    return resources.files(__package__).joinpath("scrub.js").read_text(encoding="utf-8")


def frames_html(frames: Iterable[FrameFound], secrets: Sequence[str]) -> str:
    """One page of all frames, each behind a comment that says where it was."""
    return "\n".join(f"<!-- frame: {_in_comment(each.url)} -->\n{scrub_html(each.html, secrets)}\n" for each in frames)


def _in_comment(url: str) -> str:
    return html.escape(url).replace("--", "-")
