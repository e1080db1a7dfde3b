"""The API origin: login, a probe, the tax report in pages, and the two ways to a GST workbook.

Every call but the login needs a bearer token and sees its own store only.
"""

from datetime import date

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crm_assets.model import Window
from crm_assets.sandbox.books.uclean import tax_report_entry
from crm_assets.sandbox.layouts import GST_REPORT
from crm_assets.sandbox.screens import attachment, refusal, screen
from crm_assets.sandbox.stores import SandboxStore, find_store, signed_in_store
from crm_assets.sandbox.workbooks import workbook
from crm_assets.sandbox.world import World

_PURPOSE = "uc session"
_SCHEME = "Bearer "


def api_app(world: World) -> Starlette:
    api = _Api(world)
    fronts = [world.urls["store"], world.urls["storepanel"]]
    cors = Middleware(CORSMiddleware, allow_origins=fronts, allow_methods=["*"], allow_headers=["*"])
    return Starlette(
        routes=[
            Route("/api/v1/stores/login", api.login, methods=["POST"]),
            Route("/api/v1/stores/profile", api.profile),
            Route("/api/v1/stores/report/tax-report", api.tax_report),
            Route("/api/v1/stores/report/panel-export", api.panel_export, methods=["POST"]),
            Route("/api/v1/sales/export-report", api.export_report),
            Route("/api/v1/stores/generateGST", api.generate_gst, methods=["POST"]),
        ],
        middleware=[cors],
        exception_handlers={HTTPException: refusal, Gone: no_such_call},
    )


class Gone(Exception):
    """A call is asked for that is there no more; it says what is answered in its place."""


async def no_such_call(_request: Request, gone: Exception) -> Response:
    """What stands where a call was: a status, a page, or JSON of another kind."""
    match str(gone):
        case "html":
            return screen("signed_out.html")
        case "json":
            return JSONResponse({"status": True, "data": {"message": "Moved to another service"}})
        case status:
            return JSONResponse({"message": "Not found"}, int(status))


class _Api:
    """The calls, each a handler."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def login(self, request: Request) -> Response:
        sent = await request.json()
        user, password = str(sent.get("email", "")), str(sent.get("password", ""))
        claimed = find_store("uc", user.partition("@")[0])
        await self._world.arrive("uc", "login", claimed)
        store = signed_in_store(self._world.options.seed, "uc", user, password)
        if self._world.faults.take("locked", "uc", claimed.code if claimed else None, "login"):
            raise self._refused(user, 423, "Your account has been locked. Contact support.")
        if store is None:
            raise self._refused(user, 401, "Invalid email or password")
        self._world.journal.logins[str(store)] += 1
        return JSONResponse({"data": {"token": self._world.sessions.issue(_PURPOSE, store)}})

    async def profile(self, request: Request) -> Response:
        store = await self._arrived(request, "api")
        return JSONResponse({"data": {"store_code": store.prefix, "name": store.title}})

    async def tax_report(self, request: Request) -> Response:
        store = await self._arrived(request, "api")
        asked = request.query_params
        page, limit = int(asked.get("page", 1)), int(asked.get("limit", 20))
        now = self._world.clock()
        invoices = self._world.books.invoices(store.code, self._window(asked.get("from"), asked.get("to")))
        if asked.get("sortOrder", "DESC").upper() == "DESC":
            invoices.reverse()
        overlap = self._world.faults.take("pages_overlap", "uc", store.code, "api") if page > 1 else None
        begin = (page - 1) * limit - (int(overlap.word) if overlap else 0)
        return JSONResponse({"data": [tax_report_entry(each, now) for each in invoices[begin : begin + limit]]})

    async def panel_export(self, request: Request) -> Response:
        """The panel tells that it saves a workbook; an HTML answer is saved in its place."""
        store = await self._arrived(request, "export")
        return self._world.hand_over(store, "export", JSONResponse({"data": {}}))

    async def export_report(self, request: Request) -> Response:
        store = await self._arrived(request, "export")
        return self._workbook(store, self._window(request.query_params.get("from"), request.query_params.get("to")))

    async def generate_gst(self, request: Request) -> Response:
        store = await self._arrived(request, "export")
        sent = await request.json()
        window = self._window(sent.get("from_date"), sent.get("to_date"))
        if self._world.options.uc_generate_gst == "workbook":
            return self._workbook(store, window)
        now = self._world.clock()
        rows = [tax_report_entry(each, now) for each in self._world.books.invoices(store.code, window)]
        return self._world.hand_over(store, "export", JSONResponse({"data": rows}))

    async def _arrived(self, request: Request, at: str) -> SandboxStore:
        """The store the token speaks for, after the wait of this kind of call."""
        header = request.headers.get("authorization", "")
        token = header.removeprefix(_SCHEME) if header.startswith(_SCHEME) else ""
        store = self._world.sessions.store_of(_PURPOSE, token)
        await self._world.arrive("uc", at, store)
        if store is None or self._world.faults.take("token_refused", "uc", store.code, at):
            raise HTTPException(401, "Unauthenticated.")
        if hurried := self._world.faults.take("429", "uc", store.code, at):
            raise HTTPException(429, "Too many requests", {"Retry-After": f"{hurried.seconds:.0f}"})
        if gone := self._world.faults.take("gone", "uc", store.code, at):
            raise Gone(gone.word)
        return self._world.store_shown(store, at)

    def _refused(self, user: str, status: int, message: str) -> HTTPException:
        """A refused login, counted."""
        self._world.journal.rejected_logins[f"uc/{user.partition('@')[0]}"] += 1
        return HTTPException(status, message)

    def _workbook(self, store: SandboxStore, window: Window) -> Response:
        empty = self._world.faults.take("empty_export", "uc", store.code, "export")
        rows = [] if empty else self._world.books.uc_invoices(store.code, window)
        name = f"GST_Report_{window.first}_to_{window.last}.xlsx"
        return self._world.hand_over(store, "export", attachment(name, workbook(GST_REPORT, rows)))

    def _window(self, first: str | None, last: str | None) -> Window:
        """The dates asked for; whoever asks with other names gets the month until today, as if nothing was said."""
        today = self._world.clock.today()
        try:
            return Window(
                first=date.fromisoformat(first) if first else today.replace(day=1),
                last=date.fromisoformat(last) if last else today,
            )
        except ValueError as error:
            raise HTTPException(422, "The given dates were invalid.") from error
