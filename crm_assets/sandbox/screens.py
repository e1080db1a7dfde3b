"""What an answer looks like: a template filled with escaped words, a file, a refusal, and the folders a browser loads from.

What a page says is in ``web/``; which page answers what is decided by the apps.
"""

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

from crm_assets.sandbox.workbooks import MEDIA_TYPE

_HERE = Path(str(files("crm_assets.sandbox")))


def screen(name: str, status: int = 200, **words: object) -> HTMLResponse:
    """A page of ``web/`` with its ``$words`` filled in, never cached."""
    filled = {word: escape(str(value)) for word, value in words.items()}
    return HTMLResponse(_template(name).substitute(filled), status, headers={"Cache-Control": "no-store"})


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
    """What a refused request is told: a gateway's own page for a 502, a short JSON word for everything else."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 502:
        return screen("bad_gateway.html", 502)
    return JSONResponse({"message": error.detail}, error.status_code)


@cache
def _template(name: str) -> Template:
    return Template((_HERE / "web" / name).read_text(encoding="utf-8"))
