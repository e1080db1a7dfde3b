"""The digest as a page: one file that asks for nothing else, readable on a phone, in print, by day and by night."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from crm_assets.digest import words
from crm_assets.digest.charts import best_day, days_svg
from crm_assets.digest.figures import AGES_OF_DEBTS, AGES_OF_ORDERS, Digest, StoreSales, Sums, ThreeSums
from crm_assets.model import Store
from crm_assets.warehouse.sales import MonthGst

if TYPE_CHECKING:
    from jinja2 import Template


def page_of(digest: Digest) -> str:
    """The whole page, as HTML."""
    return _template().render(
        digest=digest,
        crms=_by_crm(digest.sales),
        months=_by_month(digest.gst),
        owed_by_age=[sum(sums, Sums()) for sums in zip(*(one.by_age for one in digest.owed), strict=True)],
        ages_of_orders=[name for name, _ in AGES_OF_ORDERS],
        ages_of_debts=[name for name, _ in AGES_OF_DEBTS],
    )


@cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals["zip"] = zip
    environment.filters |= {
        "rupees": words.rupees,
        "known_rupees": words.known_rupees,
        "grouped": words.grouped,
        "orders": words.orders,
        "growth": words.growth,
        "moment": words.moment,
        "day_text": words.day_text,
        "short_day": words.short_day,
        "month_text": words.month_text,
        "way": _way,
        "best": lambda store: best_day(store.days),
        "chart": lambda store: Markup(days_svg(store.days, f"Sales of {store.store.name}")),  # noqa: S704 - our own SVG
        "total": _total,
    }
    return environment.from_string((files("crm_assets.digest") / "page.html").read_text(encoding="utf-8"))


def _by_crm(stores: Sequence[StoreSales]) -> list[tuple[str, list[StoreSales]]]:
    crms: dict[str, list[StoreSales]] = {}
    for one in stores:
        crms.setdefault(one.store.crm, []).append(one)
    return list(crms.items())


def _by_month(gst: Sequence[tuple[Store, MonthGst]]) -> list[tuple[date, list[tuple[Store, MonthGst]]]]:
    """The newest month first, as they come."""
    months: dict[date, list[tuple[Store, MonthGst]]] = {}
    for store, one in gst:
        months.setdefault(one.month, []).append((store, one))
    return list(months.items())


def _total(stores: Sequence[StoreSales]) -> ThreeSums:
    return sum((one.sums for one in stores), ThreeSums())


def _way(share: Decimal | None) -> str:
    """The class of a growth: its sign says it too, so that nothing rests on colour alone."""
    return {"+": "up", words.MINUS: "down"}.get(words.growth(share)[0], "")
