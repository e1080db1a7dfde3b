"""The report app's calls: the request list with its old rows, Processing, Download, and what lies behind the links."""

import re
from datetime import date, timedelta

import pytest

from crm_assets.model import Window
from crm_assets.sandbox import Sandbox
from crm_assets.sandbox.layouts import ORDER_REPORT, SALES_AND_DELIVERY
from crm_assets.sandbox.tumbledry.kinds import KINDS
from crm_assets.sandbox.workbooks import workbook
from crm_assets_tests.sandbox.visitors import ReportAppVisitor, td_visitor

TODAY = "14 Feb 2026 - 14 Feb 2026"
ONE_DAY = Window(first=date(2026, 2, 14), last=date(2026, 2, 14))


def test_the_list_opens_with_forty_rows_of_history_newest_first(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        rows = ReportAppVisitor(visitor).rows()
    assert [row["serial"] for row in rows] == list(range(1, 41))
    assert rows[0]["requested"] == "14 Feb 2026 12:04 PM"
    assert all(row["href"] for row in rows)


@pytest.mark.parametrize(
    "standing",
    [TODAY, "13 Feb 2026 - 13 Feb 2026", "01 Feb 2026 - 14 Feb 2026", "11 Jan 2026 - 14 Feb 2026"],
    ids=["today", "yesterday", "14 days", "35 days"],
)
def test_a_stale_row_of_the_usual_ranges_already_stands(sandbox: Sandbox, standing: str) -> None:
    with td_visitor(sandbox) as visitor:
        stale = [row for row in ReportAppVisitor(visitor).rows() if row["range"] == standing]
    assert stale and stale[0]["requested"] != "14 Feb 2026 12:30 PM"


def test_a_request_is_processing_before_it_can_be_downloaded(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        assert app.ask("2026-02-14", "2026-02-14").status_code == 202
        first, then = app.rows()[0], app.rows()[0]
    assert (first["range"], first["requested"], first["href"]) == (TODAY, "14 Feb 2026 12:30 PM", None)
    assert {**then, "href": None, "status": "Processing, Estimated Time 0m 0s"} == first
    assert then["href"].startswith("/order-reports/")
    assert sandbox.log.requests == {"td/a668": 1}


def test_the_file_is_the_books_as_of_the_request(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        app.ask("2026-02-14", "2026-02-14")
        asked_at = sandbox.clock.now()
        sandbox.clock.advance(timedelta(hours=6))
        app.rows()
        answers = [app.download(row) for row in app.rows()[:40] if row["requested"] == "14 Feb 2026 12:30 PM"]
    assert [answer.content for answer in answers] == [
        workbook(ORDER_REPORT, sandbox.books.td_orders("a668", ONE_DAY, asked_at))
    ]
    assert answers[0].content != workbook(ORDER_REPORT, sandbox.books.td_orders("a668", ONE_DAY))


def test_a_stale_row_holds_older_content_than_our_own(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        app.ask("2026-02-14", "2026-02-14")
        app.rows()
        own, *stale = [app.download(row).content for row in app.rows() if row["range"] == TODAY]
    assert stale[-1] == workbook(ORDER_REPORT, [])
    assert own == workbook(ORDER_REPORT, sandbox.books.td_orders("a668", ONE_DAY))
    assert own != stale[-1]


@pytest.mark.parametrize(("store", "prefix"), [("a668", "1170"), ("a817", "1247")])
def test_the_file_name_says_nothing_but_the_stores_number(sandbox: Sandbox, store: str, prefix: str) -> None:
    with td_visitor(sandbox, store) as visitor:
        app = ReportAppVisitor(visitor, store)
        answer = app.download(app.rows()[0])
    pattern = rf'attachment; filename="{prefix}-[\w-]{{21}}\.xlsx"'
    assert re.fullmatch(pattern, answer.headers["content-disposition"])
    assert sandbox.log.exports == {f"td/{store}": 1}


def test_a_range_that_ends_before_it_begins_is_refused(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        assert ReportAppVisitor(visitor).ask("2026-02-14", "2026-02-13").status_code == 422
    assert not sandbox.log.requests


def test_a_download_key_cannot_be_made_up(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        row = app.rows()[0]
        assert app.download({"href": row["href"] + "x"}).status_code == 403


def test_each_report_has_a_list_and_files_of_its_own(sandbox: Sandbox) -> None:
    orders, sales = KINDS
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor, kind=sales)
        app.ask("2026-01-01", "2026-02-14")
        app.rows()
        newest = app.rows()[0]
        answer = app.download(newest)
        beside = ReportAppVisitor(visitor, kind=orders).rows()
    window = Window(first=date(2026, 1, 1), last=date(2026, 2, 14))
    assert newest["href"].startswith("/sales-reports/")
    assert newest["range"] not in [row["range"] for row in beside]
    assert answer.content == workbook(SALES_AND_DELIVERY, sandbox.books.td_payments("a668", window))


def test_a_key_opens_no_other_report(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        app = ReportAppVisitor(visitor)
        other = ReportAppVisitor(visitor, kind=KINDS[1])
        other._headers = app._headers
        assert other.answer().status_code == 401


def test_the_direct_export_of_each_report_is_its_own_file(sandbox: Sandbox) -> None:
    window = Window(first=date(2026, 2, 1), last=date(2026, 2, 14))
    with td_visitor(sandbox) as visitor:
        files = [ReportAppVisitor(visitor, kind=kind).export("2026-02-01", "2026-02-14") for kind in KINDS]
    assert [answer.content for answer in files] == [
        workbook(ORDER_REPORT, sandbox.books.td_orders("a668", window)),
        workbook(SALES_AND_DELIVERY, sandbox.books.td_payments("a668", window)),
    ]
    names = {answer.headers["content-disposition"] for answer in files}
    assert len(names) == 2, "no two files share a name, be they of the same minute and range"
    assert all(re.fullmatch(r'attachment; filename="1170-[\w-]{21}\.xlsx"', name) for name in names)


def test_requests_and_exports_of_both_reports_are_counted_together(sandbox: Sandbox) -> None:
    with td_visitor(sandbox) as visitor:
        for kind in KINDS:
            app = ReportAppVisitor(visitor, kind=kind)
            app.ask("2026-02-14", "2026-02-14")
            app.download(app.rows()[-1])
    assert (sandbox.log.requests, sandbox.log.exports) == ({"td/a668": 2}, {"td/a668": 2})
