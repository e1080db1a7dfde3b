"""UClean of the facts alone: the form, the login call, the token in localStorage, the API. How all else looks is the ``Dress``.

The tables of dresses and what they must end in stand in ``test_uclean``.
"""

import asyncio
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm_assets_tests.portals.other.serving import Reply, answer
from crm_assets_tests.portals.other.tumbledry import PASSWORD, USER

TOKEN = "t-0k3n-of-a-shop"
FORM = "<form id=login><input id=email type=email><input id=password type=password><button type=submit>Log in</button></form>"
OLD_FORM = "<form id=login><input type=email><input type=password><button class='btn-primary btn' type=submit>Go</button></form>"
NAV = "<nav><a href=/dashboard>Dashboard</a> <a href=/gst-report>GST</a></nav>"


def panel(form: str = FORM, *, around: str = "", script: str = "", wrong: str = "") -> str:
    """The login page. ``script`` runs once the form is there, ``wrong`` on an answer without a token."""
    return f"""{around}<main></main><script>
    if (localStorage.getItem(KEY)) location.replace(HOME);
    const show = () => {{
      document.querySelector('main').innerHTML = `{form}`;
      const form = document.getElementById('login');
      const email = form.querySelector('[type=email]'), pass = form.querySelector('[type=password]');
      {script};
      form.onsubmit = async event => {{
        event.preventDefault();
        const answer = await fetch(API + '/api/v1/stores/login?franchise=UCLEAN', {{method: 'POST',
          headers: {{'Content-Type': 'application/json'}}, body: JSON.stringify({{email: email.value, password: pass.value}})}});
        const said = await answer.json().catch(() => ({{}}));
        if (said.data && said.data.token) {{ localStorage.setItem(KEY, said.data.token); location.href = HOME; }}
        else {{ {wrong} }}
      }};
    }};
    setTimeout(show, WAIT);
    </script>"""


DASHBOARD = f"""{NAV}<h1>Today</h1><script>
const token = localStorage.getItem(KEY);
const leave = () => {{ localStorage.removeItem(KEY); location.replace('/login') }};
if (!token) leave();
else fetch(API + '/api/v1/stores/report/tax-report?page=1', {{headers: {{Authorization: 'Bearer ' + token}}}})
  .then(answer => answer.status == 401 && setTimeout(leave, BOUNCE));
</script>"""

CALENDAR = """<button class=mat-calendar-period-button>FEB 2026</button><table><tr>
<td aria-label='February 9, 2026'>9<td aria-label='February 10, 2026 (closed)'>10<td aria-label='February 11, 2026'>11
<td aria-label='February 12, 2026' class=mat-calendar-body-cell-container><button aria-disabled=true>12</button></table>"""
GST = f"""{NAV}<input class=search-user readonly onclick="document.querySelector('.calendar-body').classList.add('show')">
<button class='btn primary export'>Export Report</button>
<div class=calendar-body><div class=start-date>{CALENDAR}</div><div class=end-date>{CALENDAR}</div></div>"""
"""A range picker that offers the days around the tenth and the twelfth, and neither of the two."""


@dataclass(frozen=True, kw_only=True)
class Dress:
    """``right`` and ``wrong`` are the API's answers to a login; ``home`` is where the form leads, ``key`` names the token."""

    login: str = panel()
    dashboard: str = DASHBOARD
    right: Reply = field(default_factory=lambda: {"status": True, "data": {"token": TOKEN}})
    wrong: Reply = 401
    home: str = "/dashboard"
    key: str = "uclean_auth_token"
    wait: int = 0
    bounce: int = 0
    moves: bool = False
    seconds: float = 0.0


class UClean:
    """The stand-in. ``logins`` is what it was sent: whether each was right; without ``accepts`` every token is dead."""

    api = moved = ""

    def __init__(self, dress: Dress) -> None:
        self.dress = dress
        self.logins: list[bool] = []
        self.accepts = True
        self.app = Starlette(
            routes=[
                Route("/api/v1/stores/login", self.login, methods=["POST"]),
                Route("/api/v1/stores/report/tax-report", self.report),
                Route("/{path:path}", self.page),
            ],
            middleware=[Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])],
        )

    async def login(self, request: Request) -> Response:
        sent = await request.json()
        right = (sent["email"], sent["password"]) == (USER, PASSWORD)
        self.logins.append(right)
        self.accepts = self.accepts or right
        await asyncio.sleep(self.dress.seconds)
        return answer(self.dress.right if right else self.dress.wrong)

    async def report(self, request: Request) -> Response:
        good = self.accepts and request.headers.get("authorization") == f"Bearer {TOKEN}"
        return answer({"data": []} if good else (401, {"message": "Token expired"}))

    async def page(self, request: Request) -> Response:
        dress, path = self.dress, request.url.path
        if dress.moves and not self.moved.endswith(f":{request.url.port}"):
            return answer((200, f"<script>location.replace('{self.moved}{path}')</script>"))
        places = {"KEY": dress.key, "HOME": dress.home, "API": self.api}
        told = "".join(f"const {name} = {value!r};" for name, value in places.items())
        told += f"const WAIT = {dress.wait}, BOUNCE = {dress.bounce};"
        page = {"/login": dress.login, "/gst-report": GST}.get(path, dress.dashboard)
        return answer(f"<script>{told}</script>{page}" if path != "/favicon.ico" else 204)
