"""``docs/configuration.md``: every setting, and every field of ``stores.yaml``.

What a setting is for says ``.env.example``, which knows the secrets too; its values and default say the models. What a field of
the store list is for says its own description.
"""

import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crm_assets.portals.contract import find_portal
from crm_assets.settings import PROJECT_ROOT, SECRET_NAME, Environment, load_settings
from crm_assets.store_list import Crm, StoreEntry
from crm_assets_tests.documents.markdown import code, page, table

EXAMPLE = PROJECT_ROOT / ".env.example"
ONLY_THERE = "# Only in the environment, not in a file:"
SETTING = re.compile(r"^# ((?:CRM|DAGSTER)_[A-Z0-9_]+)=(.*)$")
UNITS = {"_S": "seconds", "_SECONDS": "seconds", "_MB": "megabytes", "_DAYS": "days"}
ABOUT = """\
Settings come from the environment, or from `.env` (`cp .env.example .env`); the environment wins. Every one has a default. A
wrong value ends the command with exit code 4 and an example of a right one; `crm_download doctor` looks at all of them."""
ABOUT_SECRETS = """\
A secret is never written into a log, a message or an error. Each can be given in one of three ways: as it is, as `..._FILE`,
the path of a file that holds it, or as `..._COMMAND`, a command that prints it. Logins and one-time passwords of a store:
[accounts and sessions](accounts.md#logins-and-one-time-passwords)."""
ABOUT_STORES = """\
CRMs, their addresses and their stores: `stores.yaml`, or the file that `CRM_STORES_FILE` names. [Add a store](add-a-store.md)
goes through one entry."""
ABOUT_SITE = """\
Portals move: every host, path and token key can be given under `site` of its CRM."""


def configuration_page() -> str:
    """The whole page."""
    anywhere, in_environment = map(explained, EXAMPLE.read_text(encoding="utf-8").split(ONLY_THERE))
    fields = {f"CRM_{name.upper()}": field for name, field in Environment.model_fields.items()}
    return page(
        "Every setting",
        "crm_assets/settings.py, crm_assets/store_list.py, the portals' site.py and .env.example",
        ABOUT,
        "## Settings",
        table(
            ("setting", "takes", "default", "what it is for"),
            (
                [code(name), takes(fields[name], name), _default(fields[name]), words]
                for name, words in anywhere.items()
                if name in fields
            ),
        ),
        "## Only in the environment",
        table(("variable", "what it is for"), ([code(name), words] for name, words in in_environment.items())),
        "## Secrets",
        ABOUT_SECRETS,
        table(
            ("secret", "what it is for"),
            ([code(name), words] for name, words in anywhere.items() if SECRET_NAME.match(name)),
        ),
        "## The store list",
        ABOUT_STORES,
        "### A CRM",
        _model(Crm),
        "### A store",
        _model(StoreEntry),
        "## The portals' addresses",
        ABOUT_SITE,
        *_sites(),
    )


def explained(example: str) -> Mapping[str, str]:
    """Each setting that stands by itself, with the words above it. The stores' logins have a page of their own."""
    words: dict[str, str] = {}
    for block in example.split("\n\n"):
        lines = block.splitlines()
        named = [match[1] for line in lines if (match := SETTING.match(line))]
        if len(named) == 1:
            words[named[0]] = " ".join(line.removeprefix("# ") for line in lines if not SETTING.match(line))
    return words


def takes(field: FieldInfo, name: str = "") -> str:
    """Which values a field takes: its kind, its unit, its bounds."""
    limits = {type(each).__name__: next(iter(vars_of(each))) for each in field.metadata if vars_of(each)}
    unit = next((f" of {words}" for end, words in UNITS.items() if name.endswith(end)), "")
    kind = _kind(field.annotation)
    if kind.startswith("number") and name.startswith("CRM_KEEP"):
        return "number of days, `true` or `false`"
    low, high = limits.get("Ge"), limits.get("Le")
    bounds = f", {low} to {high}" if high is not None else f", at least {low}" if low is not None else ""
    return f"{kind}{unit}{bounds}"


def vars_of(limit: Any) -> list[Any]:
    return [getattr(limit, name) for name in ("ge", "le") if hasattr(limit, name)]


def _kind(annotation: Any) -> str:
    plain = {
        "bool": "`true` or `false`",
        "int": "whole number",
        "float": "number",
        "Path": "path",
        "SecretStr": "secret text",
        "str": "text",
        "date": "day, `YYYY-MM-DD`",
        "time": "time of day in Kolkata",
    }
    if get_origin(annotation) is UnionType:
        return _kind(next(each for each in get_args(annotation) if each is not type(None)))
    if get_origin(annotation) is tuple:
        return f"list: {_kind(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return "names and values"
    if get_args(annotation):  # annotated
        return _kind(get_args(annotation)[0])
    return plain[annotation.__name__]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value == PROJECT_ROOT:
        return "the project's folder"
    if value in (None, (), {}):
        return "none"
    if isinstance(value, tuple):
        return code(f"[{', '.join(_said(each) for each in value)}]")
    return code(_said(value))


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:%H:%M}" if hasattr(value, "hour") else str(value)


def _model(model: type[BaseModel]) -> str:
    return table(
        ("field", "takes", "default", "what it is for"),
        (
            [code(name), takes(field), _default(field), field.description or ""]
            for name, field in model.model_fields.items()
        ),
    )


def _sites() -> Iterator[str]:
    """The addresses of each configured CRM's portal."""
    for crm in load_settings({}).crms.values():
        site = find_portal(crm.portal).site
        rows = ([code(name), _default(field), field.description or ""] for name, field in site.model_fields.items())
        described = any(field.description for field in site.model_fields.values())
        header = ("field", "default", "what it is for") if described else ("field", "default")
        yield f"### {crm.title}"
        yield table(header, (row[: len(header)] for row in rows))
