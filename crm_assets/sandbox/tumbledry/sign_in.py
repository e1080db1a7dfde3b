"""Signing in to the subs origin: the login form, the one-time code, and whose browser asks.

Every ending of a login is decided here, and home is only where the good ones lead: see ``home``. Codes are made and judged
by ``codes``.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_assets.sandbox.screens import screen
from crm_assets.sandbox.sessions import Leases
from crm_assets.sandbox.stores import SandboxStore, find_store, signed_in_store
from crm_assets.sandbox.world import World

AUTH_COOKIE = "td_auth"
DEVICE_COOKIE = "td_device"
_WAITING_COOKIE = "td_waiting"
_NOTICE_COOKIE = "td_notice"
_DEVICE_SECONDS = 180 * 24 * 3600
_NOTICE_SECONDS = 30
_PURPOSE = "td session"
_WAITING_PURPOSE = "td login that waits for a code"
_CODE_FIELD, _TRUST_FIELD = "ctl00_x17", "ctl00_x21"

_WRONG = "Invalid user id, password or store code."
_LOCKED = "Your account has been locked. Contact support."
_WRONG_CODE = "The code is wrong or has expired."
_NOTICES = {"codes": "Too many wrong codes. Please log in again."}


class SignIn:
    """The pages that end in a session, each a handler; and the sessions of this sandbox's life."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._leases = Leases()
        self._bouncing: set[str] = set()

    async def login_form(self, request: Request) -> Response:
        await self._world.arrive("td", "page")
        notice = _NOTICES.get(request.cookies.get(_NOTICE_COOKIE, ""), "")
        answer = screen("td_login.html", user="", code="", error=notice)
        for cookie in (AUTH_COOKIE, _WAITING_COOKIE, _NOTICE_COOKIE):
            answer.delete_cookie(cookie)
        return answer

    async def login(self, request: Request) -> Response:
        user, password, code = await _sent(request, "txtUserId", "txtPassword", "txtBranchPin")
        claimed = find_store("td", code)
        await self._world.arrive("td", "login", claimed)
        store = signed_in_store(self._world.options.seed, "td", user, password)
        if self._world.faults.take("locked", "td", claimed.code if claimed else None, "login"):
            return self._refused(user, code, _LOCKED)
        if store is None or store != claimed:
            return self._refused(user, code, _WRONG if self._world.options.td_login_error == "label" else "")
        if not self._world.devices.trusts(store, request.cookies.get(DEVICE_COOKIE, "")):
            return self._ask_for_code(store)
        return self._welcome(request, store, trusted=True)

    async def code_form(self, request: Request) -> Response:
        store = self._waiting(request)
        await self._world.arrive("td", "page", store)
        return _code_page(store) if store else signed_out()

    async def code(self, request: Request) -> Response:
        store = self._waiting(request)
        await self._world.arrive("td", "login", store)
        if store is None:
            return signed_out()
        said, trust = await _sent(request, _CODE_FIELD, _TRUST_FIELD)
        verdict = self._world.codes.judge(store, said)
        if verdict == "right":
            answer = self._welcome(request, store, trusted=bool(trust))
            answer.delete_cookie(_WAITING_COOKIE)
            return answer
        self._world.journal.rejected_codes[str(store)] += 1
        return _code_page(store, _WRONG_CODE) if verdict == "wrong" else signed_out(notice="codes")

    def store_of(self, request: Request) -> SandboxStore | None:
        """The store of the address, when a session of this very browser is open for it."""
        code = request.path_params["code"]
        self._world.reach("td", "page", find_store("td", code))
        token = token_of(request)
        store = self._world.sessions.store_of(_PURPOSE, token)
        if store is None or store.code != code.lower():
            return None
        kept = self._world.options.td_sessions == "kept"
        return store if kept or self._leases.holds(token, request) else None

    def witness(self, request: Request) -> None:
        """Make the connection of a signed-in page known, also when the page asks for its script or its style only."""
        self._leases.holds(token_of(request), request)

    def bounces(self, request: Request, store: SandboxStore) -> bool:
        """Whether this is the only home this session will see: it is over with it, and so are the store's others."""
        if token_of(request) not in self._bouncing:
            return False
        self._bouncing.remove(token_of(request))
        self._world.sessions.end("td", store.code)
        return True

    def _refused(self, user: str, code: str, error: str) -> Response:
        self._world.journal.rejected_logins[f"td/{code.lower()}"] += 1
        return screen("td_login.html", user=user, code=code, error=error)

    def _ask_for_code(self, store: SandboxStore) -> Response:
        login = self._world.codes.send(store)
        self._world.journal.codes_sent[str(store)] += 1  # whoever waits for it reads the code at once
        answer = RedirectResponse(f"/{store.code}/App/frmVerification", 302)
        waiting = self._world.seals.seal(_WAITING_PURPOSE, store=store.code, login=login)
        answer.set_cookie(_WAITING_COOKIE, waiting, httponly=True, samesite="lax")
        return answer

    def _waiting(self, request: Request) -> SandboxStore | None:
        """The store of the address, when a login of this browser waits for its code."""
        claims = self._world.seals.open(_WAITING_PURPOSE, request.cookies.get(_WAITING_COOKIE, ""))
        store = find_store("td", request.path_params["code"])
        if store is None or claims is None or claims["store"] != store.code:
            return None
        return store if self._world.codes.is_waited_for(store, str(claims["login"])) else None

    def _welcome(self, request: Request, store: SandboxStore, *, trusted: bool) -> Response:
        self._world.journal.logins[str(store)] += 1
        token = self._world.sessions.issue(_PURPOSE, store)
        self._leases.open(token, request)
        if self._world.faults.take("bounce", "td", store.code, "login"):
            self._bouncing.add(token)
        licence = self._world.faults.take("licence", "td", store.code, "login")
        answer = RedirectResponse(f"/{store.code}/App/{'frmLicence' if licence else 'home?EventClick=True'}", 302)
        answer.set_cookie(AUTH_COOKIE, token, httponly=True, samesite="lax")
        if trusted:
            device = self._world.devices.issue(store)
            answer.set_cookie(DEVICE_COOKIE, device, max_age=_DEVICE_SECONDS, httponly=True, samesite="lax")
        return answer


class Witness:
    """Shows every request of the origin to ``sign_in``, whoever answers it."""

    def __init__(self, app: ASGIApp, sign_in: SignIn) -> None:
        self._app = app
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self._sign_in.witness(Request(scope))
        await self._app(scope, receive, send)


def token_of(request: Request) -> str:
    """The session token that the browser shows."""
    return request.cookies.get(AUTH_COOKIE, "")


def signed_out(notice: str = "") -> Response:
    """Back to the login form, which says ``notice`` once."""
    answer = RedirectResponse("/Login", 302)
    answer.delete_cookie(AUTH_COOKIE)
    if notice:
        answer.set_cookie(_NOTICE_COOKIE, notice, max_age=_NOTICE_SECONDS, httponly=True, samesite="lax")
    return answer


def _code_page(store: SandboxStore, error: str = "") -> Response:
    return screen("td_verification.html", title=store.title, error=error)


async def _sent(request: Request, *fields: str) -> list[str]:
    """What a form says in these fields."""
    form: Mapping[str, list[str]] = parse_qs((await request.body()).decode(), keep_blank_values=True)
    return [form.get(name, [""])[0].strip() for name in fields]
