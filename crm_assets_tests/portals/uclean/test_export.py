"""Every way to UClean's GST report: the same content for the same window, whoever asks."""

import re
from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import (
    ChecksumMismatch,
    ConfigurationError,
    PortalChanged,
    PortalUnavailable,
    SessionDropped,
    UnprovenEmpty,
    WrongStore,
    WrongWindow,
)
from crm_assets.model import Claims, Download, Report, Store, Window
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove
from crm_assets.sandbox import SandboxOptions
from crm_assets.sandbox.layouts import GST_REPORT as LAYOUT
from crm_assets.sandbox.workbooks import workbook as sheetjs
from crm_assets_tests.fixtures.sandbox import Installation, RememberedEvents, days

SEVERAL_PAGES = days("2026-01-28", "2026-02-13")


def proven(download: Download) -> int:
    """The number of rows of a landed file, once it is shown to be right."""
    table = workbook.read(download.file, GST_REPORT)
    return len(prove(table, GST_REPORT, download.store, download.window, download.claims))


SECTOR56 = "export_report_get, tax_report, ui"
SUSHANTLOK1 = "generate_gst_post, tax_report, ui"


def only(installation: Installation, strategies: str) -> None:
    """Sector 56 has these strategies alone."""
    installation.write_stores(**{SECTOR56: strategies})


def content_expected(installation: Installation, store: str, tmp_path: Path) -> str:
    """The fingerprint of the workbook the portal itself would write."""
    file = tmp_path / "expected.xlsx"
    file.write_bytes(sheetjs(LAYOUT, installation.sandbox.books.uc_invoices(store, SEVERAL_PAGES)))
    return workbook.read(file, GST_REPORT).content_md5


@pytest.mark.parametrize("strategy", ["export_report_get", "generate_gst_post", "tax_report", "ui"])
def test_each_strategy_gives_what_the_portal_would_write(
    installation: Installation, tmp_path: Path, strategy: str
) -> None:
    only(installation, strategy)
    journal = installation.download({"uc/sector56": (SEVERAL_PAGES, days("2026-02-13"), SEVERAL_PAGES)})
    assert journal.errors == []
    first, _, again = journal.downloads
    assert first.strategy == strategy
    assert proven(first) > 40
    assert workbook.read(first.file, GST_REPORT).content_md5 == content_expected(installation, "sector56", tmp_path)
    assert first.md5 == again.md5


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(uc_generate_gst="workbook")])
def test_a_workbook_from_generate_gst_is_taken_as_it_is_at_the_third_try(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    """Before that the portal asks to wait, then stumbles; neither is a strategy that is gone."""
    installation.sandbox.fault("429", at=["export"], seconds=1)
    installation.sandbox.fault("502", crm="uc", at=["export"], times=1)
    (download,) = installation.download({"uc/sushantlok1": SEVERAL_PAGES}).downloads
    assert (download.strategy, "strategy gone" in caplog.text) == ("generate_gst_post", False)
    assert download.suggested_name == "GST_Report_2026-01-28_to_2026-02-13.xlsx"
    expected = sheetjs(LAYOUT, installation.sandbox.books.uc_invoices("sushantlok1", SEVERAL_PAGES))
    assert download.file.read_bytes() == expected


def test_a_strategy_that_is_gone_makes_way_for_the_next_and_the_ledger_and_the_log_say_so(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    installation.write_stores(**{SUSHANTLOK1: "generate_gst_post, ui"})
    installation.sandbox.fault("gone", store="sector56", word="403")
    installation.sandbox.fault("gone", store="sushantlok1", word="html", times=1)
    journal = installation.download(dict.fromkeys(("uc/sector56", "uc/sushantlok1"), SEVERAL_PAGES))
    assert {str(each.store): each.strategy for each in journal.downloads} == {
        "uc/sector56": "tax_report",
        "uc/sushantlok1": "ui",
    }
    assert all(proven(each) > 30 for each in journal.downloads)
    assert re.search(
        r"\[uc/sector56\] \[strategy gone\] \[export_report_get: expected 200 from http://\S+, found 403\]", caplog.text
    )
    assert "[uc/sushantlok1] [strategy gone] [generate_gst_post: expected JSON rows" in caplog.text


def test_an_ended_session_makes_way_for_nothing_and_where_all_is_gone_each_way_is_named(
    installation: Installation,
) -> None:
    only(installation, "export_report_get, generate_gst_post")
    installation.sandbox.fault("token_refused", at=["export"])
    installation.sandbox.fault("gone", word="json")
    journal = installation.download({"uc/sector56": (days("2026-02-12"), days("2026-02-13"))})
    (_, ended), (_, gone) = journal.errors
    assert isinstance(ended, SessionDropped)
    assert isinstance(gone, PortalChanged)
    reasons = (
        f"{name}: expected rows under 'data' (export by {name}), found dict"
        for name in ("export_report_get", "generate_gst_post")
    )
    assert str(gone) == (f"uc/sector56: no way to the report of 2026-02-13 to 2026-02-13 is left. {'; '.join(reasons)}")


def test_pages_of_the_tax_report_that_overlap_give_each_invoice_once_and_never_end_in_a_loop(
    installation: Installation, tmp_path: Path
) -> None:
    only(installation, "tax_report")
    installation.sandbox.fault("pages_overlap")
    (download,) = installation.download({"uc/sector56": SEVERAL_PAGES}).downloads
    assert workbook.read(download.file, GST_REPORT).content_md5 == content_expected(installation, "sector56", tmp_path)
    assert download.claims.rows == proven(download)
    installation.sandbox.clear_faults()
    installation.sandbox.fault("pages_overlap", word="20")
    error = installation.download({"uc/sector56": SEVERAL_PAGES}).error_of("uc/sector56")
    assert isinstance(error, PortalChanged)
    assert "expected further rows on page 2 of the tax report, found those of the pages before it" in str(error)


def test_an_empty_workbook_is_believed_when_the_tax_report_says_the_same(installation: Installation) -> None:
    quiet, busy, unknown = days("2026-02-11"), days("2026-02-12"), days("2026-02-13")
    installation.sandbox.fault("no_business", first=quiet.first, last=quiet.last)

    class Saying(RememberedEvents):
        def started(self, store: Store, report: Report, window: Window) -> None:
            if window != quiet:
                installation.sandbox.fault("empty_export")
            if window == unknown:
                installation.sandbox.fault("gone", at=["api"], times=1)

    journal = installation.download({"uc/sector56": (quiet, busy, unknown)}, Saying())
    assert [each.claims.rows for each in journal.downloads] == [0, 1, None]
    assert proven(journal.downloads[0]) == 0
    with pytest.raises(ChecksumMismatch, match="the portal counts 1 rows, the file holds 0"):
        proven(journal.downloads[1])
    with pytest.raises(UnprovenEmpty):
        proven(journal.downloads[2])


def test_a_day_that_the_calendar_does_not_offer_is_told_at_once_and_no_near_one_is_taken(
    installation: Installation,
) -> None:
    only(installation, "ui")
    installation.sandbox.fault("close_days", first=days("2026-02-12").first, last=days("2026-02-12").first)
    error = installation.download({"uc/sector56": days("2026-02-11", "2026-02-12")}).error_of("uc/sector56")
    assert isinstance(error, PortalChanged)
    assert str(error).endswith(
        "ui: expected the range picker to offer February 12, 2026, but that very day cannot be chosen"
    )
    assert installation.sandbox.log.exports == {}


def test_the_other_stores_rows_are_refused_whatever_way_they_came(installation: Installation) -> None:
    installation.sandbox.fault("other_store", crm="uc", at=["export"])
    for download in installation.download(dict.fromkeys(("uc/sector56", "uc/sushantlok1"), SEVERAL_PAGES)).downloads:
        with pytest.raises(WrongStore, match=f"{download.store}: expected bookings that begin with UC"):
            proven(download)


def test_the_page_is_not_asked_for_its_file_before_its_data_are_there(installation: Installation) -> None:
    only(installation, "ui")
    installation.sandbox.fault("slow", crm="uc", at=["api"], seconds=0.7)
    (download,) = installation.download({"uc/sector56": SEVERAL_PAGES}).downloads
    assert proven(download) > 40
    assert download.suggested_name == "GST_Report_2026-01-28_to_2026-02-13.xlsx"
    assert set(download.claims.sums) == {"taxable_value", "cgst", "sgst", "invoice_value"}
    without_a_row = Claims(sums={name: total - 100 for name, total in download.claims.sums.items()})
    with pytest.raises(ChecksumMismatch, match="uc/sector56: the portal's total of 'Taxable Value'"):
        prove(workbook.read(download.file, GST_REPORT), GST_REPORT, download.store, download.window, without_a_row)


def test_a_502_of_the_pages_own_calls_is_told_as_such(installation: Installation) -> None:
    only(installation, "ui")
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "5"
    installation.sandbox.fault("502", crm="uc", at=["export"])
    journal = installation.download({"uc/sector56": (days("2026-02-12"), days("2026-02-13"))})
    assert isinstance(journal.error_of("uc/sector56"), PortalUnavailable)
    assert [each.window for each in journal.downloads] == [days("2026-02-13")]


def test_dates_under_names_the_portal_does_not_know_bring_a_window_that_is_refused(installation: Installation) -> None:
    """The portal then answers with the month so far, as if nothing was said. No other strategy is asked: the answer was one."""
    installation.write_stores(token_key="from_parameter: beginning, to_parameter: finish, token_key")
    error = installation.download({"uc/sector56": days("2026-01-05")}).error_of("uc/sector56")
    assert isinstance(error, WrongWindow)
    (kept,) = installation.refused
    assert str(error) == (
        "uc/sector56: expected a file of 2026-01-05 to 2026-01-05, found one named GST_Report_2026-02-01_to_2026-02-14. "
        f"It was kept as {kept}"
    )
    assert kept.read_bytes().startswith(b"PK")


def test_the_old_front_end_signs_in_and_exports_too(installation: Installation) -> None:
    urls = installation.sandbox.urls
    installation.write_stores(**{urls["storepanel"]: urls["store"], "uclean_auth_token": "token"})
    journal = installation.download({"uc/sector56": (days("2026-02-12"), days("2026-02-13"))})
    assert [each.signed_in_again for each in journal.downloads] == [True, True]


def test_a_session_of_another_front_end_is_made_anew(installation: Installation) -> None:
    """The panel moved host once; what the browser had stored stayed behind."""
    urls = installation.sandbox.urls
    installation.write_stores(**{urls["storepanel"]: urls["store"], "uclean_auth_token": "token"})
    installation.download({"uc/sector56": days("2026-02-12")})
    installation.write_stores()
    (download,) = installation.download({"uc/sector56": days("2026-02-13")}).downloads
    assert download.signed_in_again
    assert installation.sandbox.log.logins["uc/sector56"] == 2


def test_a_strategy_that_does_not_exist_is_told_with_those_that_do(installation: Installation) -> None:
    only(installation, "by_magic")
    error = installation.download({"uc/sector56": days("2026-02-13")}).error_of("uc/sector56")
    assert isinstance(error, ConfigurationError)
    assert "crms.uc.stores.sector56.strategies: expected some of export_report_get, generate_gst_post" in str(error)
    assert str(error).endswith("found by_magic")
