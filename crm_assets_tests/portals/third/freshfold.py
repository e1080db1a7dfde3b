"""Freshfold, the recipe's invented CRM, as a web server: a login form, a cookie, a sales page with an Export link."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from openpyxl import Workbook

USER, PASSWORD = "manager", "a-password"
COOKIE = "freshfold=signed-in"
SALES = (
    ("F-101", date(2025, 11, 11), "Asha Sample", 400),
    ("F-102", date(2025, 11, 12), "Vikram Demo", 250),
    ("F-103", date(2025, 11, 12), "Neha Example", 120),
    ("F-104", date(2025, 11, 14), "Karan Sample", 90),
)
LOGIN = """<form method="post" action="/login"><label>User <input name="user"></label>
<label>Password <input name="password" type="password"></label><button>Sign in</button></form>"""


@dataclass(kw_only=True)
class Freshfold:
    """``url`` is where it answers; ``logins`` counts the forms that were sent."""

    url: str = ""
    logins: list[bool] = field(default_factory=list)


@contextmanager
def freshfold() -> Iterator[Freshfold]:
    """The portal, served on loopback until the block ends."""
    portal = Freshfold()

    class Handler(_Pages):
        at = portal

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        portal.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield portal
        finally:
            server.shutdown()


class _Pages(BaseHTTPRequestHandler):
    at: Freshfold

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/login" or COOKIE not in (self.headers["Cookie"] or ""):
            self._page(LOGIN)
        elif parts.path == "/sales.xlsx":
            self._workbook(_between(asked))
        elif parts.path == "/sales":
            self._page(_shell(_sales_page(asked)))
        else:
            self._page(_shell("<h1>Home</h1>"))

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = (sent["user"], sent["password"]) == ([USER], [PASSWORD])
        self.at.logins.append(good)
        if good:
            self.send_response(303)
            self.send_header("Set-Cookie", f"{COOKIE}; Path=/; HttpOnly")
            self.send_header("Location", "/home")
            self.end_headers()
        else:
            self._page(LOGIN + "<p role='alert'>Unknown user or password</p>")

    def _page(self, body: str) -> None:
        self._answer(f"<!DOCTYPE html><title>Freshfold</title>{body}".encode(), "text/html; charset=utf-8")

    def _workbook(self, rows: list[tuple[str, date, str, int]]) -> None:
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Sales"
        sheet.append(["Invoice", "Date", "Customer", "Amount"])
        for number, day, customer, amount in rows:
            sheet.append([number, f"{day:%d-%m-%Y}", customer, amount])
        written = io.BytesIO()
        book.save(written)
        self._answer(written.getvalue(), "application/octet-stream", 'attachment; filename="sales.xlsx"')

    def _answer(self, body: bytes, kind: str, disposition: str = "inline") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Disposition", disposition)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the tests' screen."""


def _shell(body: str) -> str:
    return f"<nav><a href='/sales'>Sales</a></nav>{body}"


def _between(asked: dict[str, str]) -> list[tuple[str, date, str, int]]:
    first, last = date.fromisoformat(asked["from"]), date.fromisoformat(asked["to"])
    return [row for row in SALES if first <= row[1] <= last]


def _sales_page(asked: dict[str, str]) -> str:
    form = """<form action="/sales"><label>From <input type="date" name="from"></label>
        <label>To <input type="date" name="to"></label><button>Show</button></form>"""
    if "from" not in asked:
        return form
    rows = _between(asked)
    return f"""{form}<p id="range">{asked["from"]} to {asked["to"]}</p><p><span id="count">{len(rows)}</span> invoices, rupees
        <span id="total">{sum(row[3] for row in rows)}</span></p>
        <a href="/sales.xlsx?from={asked["from"]}&amp;to={asked["to"]}">Export</a>"""
