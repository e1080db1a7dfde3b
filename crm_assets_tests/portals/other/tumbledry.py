"""TumbleDry of the facts alone: the form's ids, the addresses, the popups, the frame. How all else looks is the ``Dress``.

The tables of dresses and what they must end in stand in ``test_tumbledry``.
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm_assets_tests.portals.other.serving import Reply, answer

USER, PASSWORD = "kiran.other@shop.example", "Right-Pass#1"
HOME = "/a668/App/home?EventClick=True"
OTP = "/a668/App/frmVerification?ref=81&step=2"
LICENCE = "/a668/App/frmLicence"
CODE = "482913"

FIELDS = """
<input id=txtUserId name=ctl00$user placeholder="User ID"><input id=txtPassword name=ctl00$pass type=password>
<input id=txtBranchPin name=ctl00$pin type=password>"""

MENU = """
<nav><a href=/help>Help</a> <a id=achrOrderReport href=Reports/OrderReport.aspx>Order report</a></nav>
<iframe src=https://chat.example.org/widget></iframe><h1>Welcome</h1><input type=search placeholder=Search>"""

REPORT = """
<button>Export</button> <button id=range>Feb 1, 2026 - Feb 14, 2026</button>
<div role=dialog hidden><input><input><input><input><input><input><button id=ok>Update</button></div>
<script>
const box = document.querySelector('[role=dialog]'), shown = document.getElementById('range');
shown.onclick = () => { box.hidden = false };
document.getElementById('ok').onclick = () => {
  const v = [...box.querySelectorAll('input')].map(each => +each.value);
  const text = (d, m, y) => new Date(y, m - 1, d).toLocaleDateString('en-US', {month:'short', day:'numeric', year:'numeric'});
  shown.textContent = text(v[0], v[1], v[2]) + ' - ' + text(v[3], v[4], v[5]);
  box.hidden = true;
};
document.querySelector('button').onclick = () => {
  const link = document.createElement('a');
  link.href = 'data:,rows'; link.download = '1170-x.xlsx'; link.click();
};
</script>"""

REQUESTS = """
<button onclick="more.hidden = false">Expand</button> <p id=more hidden><a href=#h>Download Historical Report</a></p>
<button>Generate Report</button> <button id=range>Feb 1, 2026 - Feb 14, 2026</button>
<button id=ask>Request Report</button>
<div role=dialog hidden><input><input><input><input><input><input><button id=ok>Update</button></div>
<table><tr><th>S. No.<th>Store<th>Date Range<th>Requested<th>Status</tr></table>
<script>
const box = document.querySelector('[role=dialog]'), shown = document.getElementById('range');
const table = document.querySelector('table'), SHOWN = 7;
shown.onclick = () => { box.hidden = false };
let asked = '';
document.getElementById('ok').onclick = () => {
  const v = [...box.querySelectorAll('input')].map(each => +each.value);
  const day = (d, m, y) => new Date(y, m - 1, d);
  const written = (day, order) => order(day.toLocaleDateString('en-US', {month: 'short'}), day.getDate(), day.getFullYear());
  const ends = [day(v[0], v[1], v[2]), day(v[3], v[4], v[5])];
  shown.textContent = ends.map(end => written(end, (m, d, y) => `${m} ${d}, ${y}`)).join(' - ');
  asked = ends.map(end => written(end, (m, d, y) => `${String(d).padStart(2, '0')} ${m} ${y}`)).join(' - ');
  box.hidden = true;
};
const minute = back => {
  const parts = {};
  const options = {timeZone: 'Asia/Kolkata', day: '2-digit', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit'};
  for (const part of new Intl.DateTimeFormat('en-US', options).formatToParts(new Date(Date.now() - back * 60000)))
    parts[part.type] = part.value;
  return `${parts.day} ${parts.month} ${parts.year} ${parts.hour}:${parts.minute} ${parts.dayPeriod}`;
};
const link = file => `<a href="${file}" ${file.startsWith('data:') ? 'download=1170-x.xlsx' : ''}>Download</a>`;
const FEBRUARY = '01 Feb 2026 - 03 Feb 2026';
const rows = [
  [FEBRUARY, minute(300), link('/old')], ['28 May 2026 - 28 May 2026', minute(250), 'Failed'],
  [FEBRUARY, minute(240), 'Expired'], ['<td colspan=3>Rows of yesterday'], [FEBRUARY, minute(55), link('/old')],
  ['28 May 2026 - 28 May 2026', minute(28), ''], [FEBRUARY, minute(0), link('/old')],
];
const draw = () => {
  table.querySelectorAll('tr:has(td)').forEach(row => row.remove());
  rows.slice(-SHOWN).forEach((cells, at) => table.insertAdjacentHTML('beforeend',
    `<tr><td>${at + 1}<td>A668${cells.map(each => each.startsWith('<td') ? each : '<td>' + each).join('')}</tr>`));
};
setTimeout(draw, 300);
document.getElementById('ask').onclick = () => {
  const own = [asked, minute(0), ''];
  setTimeout(() => { rows.push(own); draw() }, 400);
  setTimeout(() => { own[2] = 'Processing, Estimated Time 0m 0s'; draw() }, 800);
  setTimeout(() => { own[2] = link('data:,rows'); draw() }, 1500);
};
</script>"""
"""Another report app: one more column, the oldest row on top, seven rows shown, older ones of the same range and minute."""


def postback(extra: str = "") -> str:
    """The form as ASP.NET writes it."""
    return f"""{extra}<form method=post action=/Login><input type=hidden name=__VIEWSTATE value=dDwtMTA7Oz4=>
    <select name=lang><option>English<option>Hindi</select>{FIELDS}
    <input type=submit id=btnLogin name=ctl00$go value="Sign in"></form><a href=/forgot>Forgot password?</a>"""


def fetching(*, wrong: str = "", right: str = "location.href = said.go", extra: str = "", first: str = "") -> str:
    """The form as a script sends it: ``first`` runs on the click, ``right`` or ``wrong`` on the answer."""
    return f"""{extra}<div>{FIELDS}<button id=btnLogin type=button>Sign in</button></div><script>
    const value = id => document.getElementById(id).value;
    document.getElementById('btnLogin').onclick = async () => {{
      {first};
      navigator.sendBeacon('https://metrics.example.org/click', 'x'); navigator.sendBeacon('/beacon', 'x');
      const sent = JSON.stringify({{user: value('txtUserId'), pass: value('txtPassword'), pin: value('txtBranchPin')}});
      const answer = await fetch('/api/signin', {{method: 'POST', body: sent}});
      const said = await answer.json().catch(() => ({{}}));
      if (said.go) {{ {right} }} else {{ {wrong} }}
    }};</script>"""


def later(milliseconds: int, script: str) -> str:
    return f"<script>setTimeout(() => {{ {script} }}, {milliseconds})</script>"


@dataclass(frozen=True, kw_only=True)
class Dress:
    """``login`` is the form's page, ``right`` and ``wrong`` what submitting it is answered, ``code`` what a right code is.

    ``pages`` are further pages by path, and stand before the usual ones; without ``sessions`` home knows nobody.
    """

    login: str = postback()
    right: Reply = HOME
    wrong: Reply = "/Login?err=1"
    home: Reply = MENU
    code: Reply = HOME
    wrong_code: Reply = OTP
    pages: dict[str, Reply] = field(default_factory=dict)
    seconds: float = 0.0
    dead: Reply = "/Login"


class TumbleDry:
    """The stand-in. ``logins`` and ``codes`` are what it was sent: whether each was right."""

    reports = ""

    def __init__(self, dress: Dress) -> None:
        self.dress = dress
        self.logins: list[bool] = []
        self.codes: list[bool] = []
        self.forced = 0
        self.app = Starlette(
            routes=[
                Route("/api/signin", self.sign_in, methods=["POST"]),
                Route("/Login", self.sign_in, methods=["POST"]),
                Route("/code", self.code, methods=["POST"]),
                Route("/{path:path}", self.page, methods=["GET", "POST"]),
            ]
        )

    async def sign_in(self, request: Request) -> Response:
        body = (await request.body()).decode()
        form = {name.removeprefix("ctl00$"): value for name, (value,) in parse_qs(body).items()}
        sent = form or await request.json()
        right = (sent.get("user"), sent.get("pass"), sent.get("pin")) == (USER, PASSWORD, "A668")
        self.logins.append(right)
        await asyncio.sleep(self.dress.seconds)
        by_script = request.url.path == "/api/signin"
        reply = self.dress.right if right else self.dress.wrong
        if by_script and isinstance(reply, str):
            reply = {"go": reply} if right else {"error": reply}
        response = answer(reply)
        if right:
            response.set_cookie("who", "a668")
        return response

    async def code(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        right = "".join("".join(form[name]) for name in sorted(form) if name.startswith("c")) == CODE
        self.codes.append(right)
        return answer(self.dress.code if right else self.dress.wrong_code)

    async def page(self, request: Request) -> Response:
        path = request.url.path
        if path in self.dress.pages:
            return answer(self.dress.pages[path])
        if path == "/forced":
            self.forced += 1
        if path == "/a668/App/home":
            return answer(self.dress.home if request.cookies.get("who") else self.dress.dead)
        if path == "/a668/App/Reports/OrderReport.aspx":
            return answer(f"<iframe id=ifrmReport src='{self.reports}/en/order-report?token=t'></iframe>")
        return answer({"/a668": "/Login", "/Login": self.dress.login, "/en/order-report": REPORT}.get(path, 204))
