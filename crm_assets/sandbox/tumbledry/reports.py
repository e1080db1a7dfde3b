"""The reports origin: the report app inside the frame, its request list, and the workbooks behind the Download links; the same
for each kind of report.

The page opens with a one-time token only; it then speaks with a key of its own, written into the page.
"""

from collections.abc import Mapping
from datetime import date, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_assets.model import Window
from crm_assets.sandbox.screens import assets, attachment, refusal, screen
from crm_assets.sandbox.seals import short_hash
from crm_assets.sandbox.stores import SandboxStore, find_store
from crm_assets.sandbox.tumbledry.kinds import KINDS, ReportKind
from crm_assets.sandbox.tumbledry.requests import DOWNLOAD, ReportRequest, RequestDesk
from crm_assets.sandbox.tumbledry.subs import OneTimeTokens
from crm_assets.sandbox.workbooks import workbook
from crm_assets.sandbox.world import World

_PURPOSE = "td report app"
_FILE_PURPOSE = "td workbook"
_FILE_NAME_LETTERS = 21


def reports_app(world: World, tokens: OneTimeTokens) -> Starlette:
    return Starlette(
        routes=[*(route for kind in KINDS for route in _Report(world, tokens, kind).routes()), *assets()],
        exception_handlers={HTTPException: refusal},
    )


class _Report:
    """One report's page and what its script calls."""

    def __init__(self, world: World, tokens: OneTimeTokens, kind: ReportKind) -> None:
        self._world = world
        self._tokens = tokens
        self._kind = kind
        self._desk = RequestDesk(world.pace)
        self._purpose, self._file_purpose = f"{_PURPOSE} {kind.word}", f"{_FILE_PURPOSE} {kind.word}"

    def routes(self) -> list[Route]:
        word = self._kind.word
        return [
            Route(f"/en/{word}", self.page),
            Route(f"/api/{word}/requests", self.listed, methods=["GET"]),
            Route(f"/api/{word}/requests", self.ask, methods=["POST"]),
            Route(f"/api/{word}/export", self.export),
            Route(f"/{self._kind.folder}/{{name}}", self.download),
        ]

    async def page(self, request: Request) -> Response:
        store = self._tokens.spend(request.query_params.get("token", ""))
        await self._world.arrive("td", "page", store)
        if store is None:
            return screen("td_reports_refused.html", 401)
        return screen(
            "td_reports.html",
            title=store.title,
            report=self._kind.title,
            word=self._kind.word,
            key=self._world.sessions.issue(self._purpose, store),
            poll=self._world.pace.poll_milliseconds,
            today=self._world.clock.today(),
            direct="yes" if self._world.options.td_direct_export else "no",
            refreshes="yes" if self._world.options.td_list_refreshes else "no",
        )

    async def listed(self, request: Request) -> Response:
        store = self._keyholder(request)
        await self._world.arrive("td", "list", store)
        stuck = self._world.faults.take("stuck", "td", store.code, "list") is not None
        requests = self._desk.listed(store, self._world.clock(), stuck=stuck)
        rows = [self._line(store, serial, *each) for serial, each in enumerate(requests, start=1)]
        return JSONResponse({"rows": rows})

    async def ask(self, request: Request) -> Response:
        store = self._keyholder(request)
        window = _window(await request.json())
        await self._world.arrive("td", "request", store)
        self._world.journal.requests[str(store)] += 1
        failure = self._world.faults.take("request_fails", "td", store.code, "request")
        self._desk.ask(store, window, self._world.clock(), ends_as=failure.word if failure else DOWNLOAD)
        return JSONResponse({"message": "Report requested"}, 202)

    async def export(self, request: Request) -> Response:
        """The direct Export button: the file at once."""
        store = self._keyholder(request)
        window = _window(request.query_params)
        await self._world.arrive("td", "download", store)
        return self._workbook(store, window, self._world.clock(), self._file_name(store, window, self._world.clock()))

    async def download(self, request: Request) -> Response:
        claims = self._world.seals.open(self._file_purpose, request.query_params.get("key", ""))
        store = find_store("td", str(claims["store"])) if claims else None
        if claims is None or store is None:
            raise HTTPException(403, "Request has expired")
        await self._world.arrive("td", "download", store)
        window = Window(first=date.fromisoformat(str(claims["from"])), last=date.fromisoformat(str(claims["to"])))
        as_of = datetime.fromisoformat(str(claims["as_of"]))
        return self._workbook(store, window, as_of, request.path_params["name"])

    def _keyholder(self, request: Request) -> SandboxStore:
        key = request.headers.get("x-report-key") or request.query_params.get("key", "")
        store = self._world.sessions.store_of(self._purpose, key)
        if store is None:
            raise HTTPException(401, "Your session has expired")
        return store

    def _workbook(self, store: SandboxStore, window: Window, as_of: datetime, name: str) -> Response:
        sold_by = self._world.store_shown(store, "download")
        rows = self._kind.rows(self._world.books, sold_by.code, window, as_of)
        named = name.replace(store.prefix, sold_by.prefix)
        return self._world.hand_over(store, "download", attachment(named, workbook(self._kind.layout, rows)))

    def _line(self, store: SandboxStore, serial: int, request: ReportRequest, status: str) -> dict[str, object]:
        window = request.window
        return {
            "serial": serial,
            "range": f"{window.first:%d %b %Y} - {window.last:%d %b %Y}",
            "requested": f"{request.requested_at:%d %b %Y %I:%M %p}",
            "status": status,
            "href": self._href(store, request) if status == DOWNLOAD else None,
        }

    def _href(self, store: SandboxStore, request: ReportRequest) -> str:
        """An address that carries all it needs, so a link of yesterday still works."""
        name = self._file_name(store, request.window, request.requested_at)
        key = self._world.seals.seal(
            self._file_purpose,
            store=store.code,
            **{"from": f"{request.window.first}", "to": f"{request.window.last}"},
            as_of=request.requested_at.isoformat(),
        )
        return f"/{self._kind.folder}/{name}?key={key}"

    def _file_name(self, store: SandboxStore, window: Window, as_of: datetime) -> str:
        letters = short_hash(self._world.options.seed, store, self._kind.word, window, as_of, length=_FILE_NAME_LETTERS)
        return f"{store.prefix}-{letters}.xlsx"


def _window(asked: Mapping[str, str]) -> Window:
    """The range asked for, or a refusal that says what is wrong with it."""
    try:
        return Window(first=date.fromisoformat(asked["from"]), last=date.fromisoformat(asked["to"]))
    except (KeyError, TypeError, ValueError) as error:
        raise HTTPException(422, "from and to must be dates in order") from error
