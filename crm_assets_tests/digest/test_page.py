"""The page: what stands in it, that it asks for nothing, and that a phone shows all of it."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crm_assets.browser.chrome import system_browser
from crm_assets.digest.charts import days_svg, words
from crm_assets.digest.figures import Digest, Mismatch, Sums
from crm_assets.digest.page import page_of
from crm_assets.digest.reading import digest_of
from crm_assets.digest.words import NOT_FETCHED, growth, known_rupees, rupees
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.digest.business import MADE_AT, NEVER_FETCHED, STORES, UTTAM, Business

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class Texts(HTMLParser):
    """Every cell of the page's tables, row by row, and all of its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open_tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open_tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "small":
            self.rows[-1][-1] += " "

    def handle_endtag(self, tag: str) -> None:
        while self.open_tags and self.open_tags.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self.open_tags:
            return
        self.text += data
        if {"td", "th"} & set(self.open_tags):
            self.rows[-1][-1] = (self.rows[-1][-1] + data).strip()


@pytest.fixture(scope="module")
def page(digest: Digest) -> str:
    return page_of(digest)


@pytest.fixture(scope="module")
def texts(page: str) -> Texts:
    return Texts(page)


def test_every_store_and_the_total_stand_in_the_table_of_sales(texts: Texts, digest: Digest) -> None:
    rows = {row[0]: row[1:] for row in texts.rows if len(row) == 5 and row[-1].endswith("%")}
    for name, sums in [*((one.store.name, one.sums) for one in digest.sales), ("All stores", digest.total)]:
        assert rows[name] == [
            *(f"{rupees(one.amount)}{'*' * one.is_partial} {one.count}" for one in sums.of_windows()),
            growth(sums.growth),
        ]
    assert rows["Uttam Nagar"][1].split()[0].endswith("*"), "a day of the month was never fetched"


def test_collections_stand_there_by_mode_with_their_total(texts: Texts, digest: Digest) -> None:
    rows = [row for row in texts.rows if len(row) == 4]
    for one in digest.collections:
        named = {one.store.name: one.money, **one.modes, "packages used up, not in the sum": one.packages}
        for name, sums in named.items():
            assert [name, *map(known_rupees, sums.of_windows())] in rows
    assert ["All of it", *map(known_rupees, digest.money.of_windows())] in rows
    assert "UClean exports no amounts of payments." in " ".join(texts.text.split())


def test_a_phone_gets_every_figure_too(texts: Texts, digest: Digest) -> None:
    """The browser's test below sees that nothing of it is hidden."""
    rows = texts.rows
    for one in digest.owed:
        sums = [*one.by_age, one.whole]
        assert [one.store.name, *(f"{rupees(each.amount)} {each.count}" for each in sums)] in rows
    for store, month in digest.gst:
        figures = (month.taxable, month.cgst, month.sgst, month.value)
        assert [store.name, *map(rupees, figures)] in rows
    for each in digest.pipelines:
        for status, counts in each.by_status.items():
            assert [status, *map(str, counts), str(sum(counts))] in rows
        assert ["Delivered, of this month's orders", str(each.delivered)] in rows
        assert each.latest is not None
        days = (digest.day - each.latest.due_on).days
        assert [each.store.name, str(each.late), f"{each.latest.order_number}, {days} days"] in rows
    assert f"reconciled with {digest.rows:,} rows" in " ".join(texts.text.split())


def test_nothing_fetched_is_never_told_as_nothing_sold(conn: Connection, business: Business) -> None:
    texts = Texts(page_of(digest_of(conn, STORES, NEVER_FETCHED, MADE_AT)))
    told = " ".join(texts.text.split())
    assert f"The day {NOT_FETCHED} not fetched yet" in told
    assert f"Collected, the day {NOT_FETCHED}" in told
    assert next(row for row in texts.rows if row[0] == "All stores")[1] == NOT_FETCHED


def test_a_portals_own_word_is_written_out(digest: Digest) -> None:
    one = digest.collections[0]
    modes = {"<b onclick=x>": one.money}
    page = page_of(replace(digest, collections=(replace(one, modes=modes), *digest.collections[1:])))
    assert "&lt;b onclick=x&gt;" in page
    assert "<b onclick" not in page


def test_a_late_store_is_a_warning_on_top(texts: Texts) -> None:
    assert "Not all of it is fresh" in texts.text
    assert "Kirti Nagar, order report: last refreshed never" in texts.text
    assert "RECONCILIATION FAILED" not in texts.text


def test_a_failed_reconciliation_is_stamped_on_the_page_with_both_figures(digest: Digest) -> None:
    wrong = Mismatch(
        what="td/a668: sales of the day", page=Sums(count=3, amount=Decimal("10.50")), tables=Sums(count=4)
    )
    told = " ".join(Texts(page_of(replace(digest, mismatches=(wrong,)))).text.split())
    assert "RECONCILIATION FAILED" in told
    assert "td/a668: sales of the day: the page says 3 and 10.50, the tables hold 4 and 0." in told
    assert "is the same" not in told


def test_no_customer_stands_in_it(page: str, business: Business) -> None:
    for row in business.orders[UTTAM][:3]:
        assert row["customer_name"] not in page
        assert row["customer_phone"] not in page


def test_a_store_that_would_break_the_page_is_written_out(digest: Digest) -> None:
    one = digest.sales[0]
    named = replace(one, store=replace(one.store, name="<script>alert(1)</script> & Sons"))
    page = page_of(replace(digest, sales=(named, *digest.sales[1:])))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Sons" in page


def test_it_asks_for_nothing(page: str) -> None:
    assert "<script" not in page
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)""", page) == []
    assert "url(" not in page.replace("url(#", "")
    assert "@import" not in page


def test_the_same_figures_give_the_same_page(digest: Digest, page: str) -> None:
    assert page_of(digest) == page


def test_a_chart_says_what_it_shows_and_takes_the_pages_colours(digest: Digest) -> None:
    days = digest.sales[0].days
    svg = days_svg(days, "Sales")
    assert "1 without a sale, 1 never fetched" in words(days)
    assert f'aria-label="Sales. {words(days)}"' in svg
    assert {"var(--bar)", "var(--accent)", "var(--gap)"} <= set(re.findall(r"var\([^)]+\)", svg))
    assert "#0" not in svg
    assert " id=" not in svg and "<style" not in svg, "several stand in one page"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = system_browser(headless=True)
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = playwright.chromium.launch(executable_path=path, args=root)
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_real_browser_shows_all_of_it_and_asks_for_nothing(
    browser: "Browser", page: str, tmp_path: Path, width: int, scheme: str
) -> None:
    file = tmp_path / "digest.html"
    file.write_text(page, encoding="utf-8")
    shown = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    asked: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.goto(file.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    for table in shown.locator(".scroll").all():
        assert table.evaluate("e => e.scrollWidth <= e.clientWidth"), table.inner_text()
    hidden = shown.evaluate("[...document.querySelectorAll('td, th, svg')].filter(e => !e.checkVisibility()).length")
    assert hidden == 0
    ink, paper = shown.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert (sum(numbers(ink)) < sum(numbers(paper))) == (scheme == "light")
    assert asked == [file.as_uri()]
    shown.close()


def numbers(colour: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", colour)[:3]]
