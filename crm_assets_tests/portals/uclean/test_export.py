"""Every way to UClean's GST report: the same content for the same window, whoever asks."""

from pathlib import Path

import pytest

from crm_assets import workbook
from crm_assets.errors import ChecksumMismatch, ConfigurationError, PortalUnavailable, WrongWindow
from crm_assets.model import Claims, Download
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets.proof import prove
from crm_assets.sandbox import SandboxOptions
from crm_assets.sandbox.layouts import GST_REPORT as LAYOUT
from crm_assets.sandbox.workbooks import workbook as sheetjs
from crm_assets_tests.fixtures.sandbox import Installation, days

SEVERAL_PAGES = days("2026-01-28", "2026-02-13")


def proven(download: Download) -> int:
    """The number of rows of a landed file, once it is shown to be right."""
    table = workbook.read(download.file, GST_REPORT)
    return len(prove(table, GST_REPORT, download.store, download.window, download.claims))


def content_expected(installation: Installation, store: str, tmp_path: Path) -> str:
    """The fingerprint of the workbook the portal itself would write."""
    file = tmp_path / "expected.xlsx"
    file.write_bytes(sheetjs(LAYOUT, installation.sandbox.books.uc_invoices(store, SEVERAL_PAGES)))
    return workbook.read(file, GST_REPORT).content_md5


@pytest.mark.parametrize("strategy", ["export_report_get", "generate_gst_post", "tax_report", "ui"])
def test_each_strategy_gives_what_the_portal_would_write(
    installation: Installation, tmp_path: Path, strategy: str
) -> None:
    installation.write_stores(export_report_get=strategy)
    journal = installation.download({"uc/sector56": (SEVERAL_PAGES, days("2026-02-13"), SEVERAL_PAGES)})
    assert journal.errors == []
    first, _, again = journal.downloads
    assert first.strategy == strategy
    assert proven(first) > 40
    assert workbook.read(first.file, GST_REPORT).content_md5 == content_expected(installation, "sector56", tmp_path)
    assert first.md5 == again.md5


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(uc_generate_gst="workbook")])
def test_a_workbook_from_generate_gst_is_taken_as_it_is(installation: Installation, tmp_path: Path) -> None:
    (download,) = installation.download({"uc/sushantlok1": SEVERAL_PAGES}).downloads
    assert download.strategy == "generate_gst_post"
    expected = sheetjs(LAYOUT, installation.sandbox.books.uc_invoices("sushantlok1", SEVERAL_PAGES))
    assert download.file.read_bytes() == expected


def test_the_page_is_not_asked_for_its_file_before_its_data_are_there(installation: Installation) -> None:
    installation.write_stores(export_report_get="ui")
    installation.sandbox.fault("slow", crm="uc", at=["api"], seconds=0.7)
    (download,) = installation.download({"uc/sector56": SEVERAL_PAGES}).downloads
    assert proven(download) > 40
    assert download.suggested_name == "GST_Report_2026-01-28_to_2026-02-13.xlsx"
    assert set(download.claims.sums) == {"taxable_value", "cgst", "sgst", "invoice_value"}
    without_a_row = Claims(sums={name: total - 100 for name, total in download.claims.sums.items()})
    with pytest.raises(ChecksumMismatch, match="uc/sector56: the portal's total of 'Taxable Value'"):
        prove(workbook.read(download.file, GST_REPORT), GST_REPORT, download.store, download.window, without_a_row)


def test_a_502_of_the_pages_own_calls_is_told_as_such(installation: Installation) -> None:
    installation.write_stores(export_report_get="ui")
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "5"
    installation.sandbox.fault("502", crm="uc", at=["export"])
    journal = installation.download({"uc/sector56": (days("2026-02-12"), days("2026-02-13"))})
    assert isinstance(journal.error_of("uc/sector56"), PortalUnavailable)
    assert [each.window for each in journal.downloads] == [days("2026-02-13")]


def test_dates_under_names_the_portal_does_not_know_bring_a_window_that_is_refused(installation: Installation) -> None:
    """The portal then answers with the month so far, as if nothing was said."""
    installation.write_stores(token_key="from_parameter: beginning, to_parameter: finish, token_key")
    (download,) = installation.download({"uc/sector56": days("2026-01-05")}).downloads
    with pytest.raises(WrongWindow, match=r"uc/sector56: expected rows from 2026-01-05 .*, found rows of 2026-02"):
        proven(download)


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
    installation.write_stores(export_report_get="by_magic")
    error = installation.download({"uc/sector56": days("2026-02-13")}).error_of("uc/sector56")
    assert isinstance(error, ConfigurationError)
    assert "crms.uc.stores.sector56.strategies: expected some of export_report_get, generate_gst_post" in str(error)
    assert str(error).endswith("found by_magic")
