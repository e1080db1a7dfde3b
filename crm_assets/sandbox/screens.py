"""What an answer looks like: a template filled with escaped words, a file, a refusal, and the folders a browser loads from.

What a page says is in ``web/``; which page answers what is decided by the apps.
"""

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from crm_assets.sandbox.wire import NoAnswer, cut
from crm_assets.sandbox.workbooks import MEDIA_TYPE

_HERE = Path(str(files("crm_assets.sandbox")))


class Markup(str):
    """Text that is HTML already, so it is not escaped again."""

    __slots__ = ()


def screen(name: str, status: int = 200, **words: object) -> HTMLResponse:
    """A page of ``web/`` with its ``$words`` filled in, never cached."""
    return HTMLResponse(fragment(name, **words), status, headers={"Cache-Control": "no-store"})


def fragment(name: str, **words: object) -> Markup:
    """A part of a page, from ``web/`` as well."""
    return Markup(_template(name).substitute({word: _escaped(value) for word, value in words.items()}))


def table_rows(rows: Iterable[Iterable[object]]) -> Markup:
    """The rows of a table's body."""
    return Markup("\n".join(f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row)}</tr>" for row in rows))


def attachment(name: str, content: bytes) -> Response:
    """A workbook to be saved under a name."""
    return Response(content, media_type=MEDIA_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def assets() -> list[Mount]:
    """Scripts, styles, and the parts from which a browser builds a workbook."""
    return [
        Mount("/assets", StaticFiles(directory=_HERE / "web"), name="assets"),
        Mount("/sheetjs", StaticFiles(directory=_HERE / "sheetjs"), name="sheetjs"),
    ]


async def refusal(request: Request, error: Exception) -> Response:
    """What a refused request is told: a gateway's own page for a 502, a short JSON word for everything else, or nothing."""
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error, NoAnswer):
        return await cut(request)
    if error.status_code == 502:
        return screen("bad_gateway.html", 502)
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


def _escaped(value: object) -> str:
    return value if isinstance(value, Markup) else escape(str(value))


@cache
def _template(name: str) -> Template:
    return Template((_HERE / "web" / name).read_text(encoding="utf-8"))
