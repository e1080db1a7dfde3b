"""The downloader against the whole sandbox: four accounts, their files, and what one store's bad day does to the others."""

import re
import traceback
from datetime import timedelta

import pandas as pd
import pytest

from crm_assets import workbook
from crm_assets.errors import (
    BrowserFroze,
    BrowserMissing,
    ConfigurationError,
    LoginMissing,
    LoginRejected,
    NotAWorkbook,
    PortalChanged,
    PortalUnavailable,
    SessionDropped,
)
from crm_assets.model import Download, Report, Store, Window
from crm_assets.multi_crm_downloader import download_all
from crm_assets.proof import prove
from crm_assets.rows import read_rows
from crm_assets.sandbox import Sandbox
from crm_assets.sandbox.workbooks import number_text
from crm_assets_tests.fixtures.sandbox import ALL_STORES, REPORTS, Installation, RememberedEvents, days

YESTERDAY = days("2026-02-13")
A_MONTH_END = days("2026-01-30", "2026-02-02")


def texts_of(download: Download) -> pd.DataFrame:
    """The landed file's rows, proven to be of their store and window."""
    report = REPORTS[download.store.crm]
    return prove(workbook.read(download.file, report), report, download.store, download.window, download.claims)


def texts_in_the_books(sandbox: Sandbox, download: Download) -> list[dict[str, str | None]]:
    """The same rows as the sandbox sold them."""
    report, store, window = REPORTS[download.store.crm], download.store, download.window
    books = sandbox.books
    rows = books.td_orders(store.code, window) if store.crm == "td" else books.uc_invoices(store.code, window)
    return [{column.name: as_text(row[column.header]) for column in report.columns} for row in rows]


def as_text(value: str | float | None) -> str | None:
    return number_text(value) if isinstance(value, int | float) else value


def assert_equal_to_the_books(sandbox: Sandbox, download: Download) -> None:
    report = REPORTS[download.store.crm]
    texts = texts_of(download)
    expected = texts_in_the_books(sandbox, download)
    assert expected
    assert texts[[column.name for column in report.columns]].to_dict("records") == expected
    typed = read_rows(texts, report)
    assert (len(typed.rows), typed.rejects, typed.warnings) == (len(expected), (), 0)


def test_every_store_lands_its_days_under_their_canonical_names_and_equal_to_the_books(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="crm_assets")
    journal = installation.download(dict.fromkeys(ALL_STORES, (A_MONTH_END, YESTERDAY)))
    assert journal.errors == []
    assert installation.downloads == [
        f"{prefix}_{window.first}_to_{window.last}.xlsx"
        for prefix in (
            "TD_OrderReport_KirtiNagar",
            "TD_OrderReport_UttamNagar",
            "UC_GST_Sector56Gurugram",
            "UC_GST_SushantLok1Gurugram",
        )
        for window in (A_MONTH_END, YESTERDAY)
    ]
    assert {(str(each.store), each.window) for each in journal.downloads} == {
        (store, window) for store in ALL_STORES for window in (A_MONTH_END, YESTERDAY)
    }
    for download in journal.downloads:
        assert_equal_to_the_books(installation.sandbox, download)
    assert "[td/a668] [downloaded] [TD_OrderReport_UttamNagar_2026-02-13_to_2026-02-13.xlsx]" in caplog.text
    assert_without_secrets(installation, caplog.text)


def assert_without_secrets(installation: Installation, text: str) -> None:
    passwords = [value for name, value in installation.environ.items() if name.endswith("_PASSWORD")]
    assert [password for password in passwords if password in text] == []
    assert "eyJ" not in text, "a JSON Web Token begins so"


def test_a_download_tells_what_landed(installation: Installation) -> None:
    (download,) = installation.download({"td/a817": YESTERDAY}).downloads
    content = download.file.read_bytes()
    assert (download.bytes, download.strategy) == (len(content), "report_request")
    assert re.fullmatch(r"1247-[\w-]{21}\.xlsx", download.suggested_name)
    assert download.requested_at == installation.sandbox.clock.now()
    assert re.fullmatch("[0-9a-f]{32}", download.md5)
    assert download.file.stat().st_mode & 0o777 == 0o640


def test_the_same_data_has_the_same_md5_and_new_data_another(installation: Installation) -> None:
    stores = ("td/a668", "uc/sector56", "uc/sushantlok1")
    downloads = [installation.download(dict.fromkeys(stores, (YESTERDAY, YESTERDAY)))]
    installation.sandbox.clock.advance(timedelta(days=9))
    downloads.append(installation.download(dict.fromkeys(stores, YESTERDAY)))
    for store in stores:
        first, again, later = (each.md5 for journal in downloads for each in journal.of(store))
        assert (first == again, first == later) == (True, False), store


def test_a_session_is_kept_for_its_owner_alone_and_reused_until_it_expires(installation: Installation) -> None:
    """TumbleDry's is never honoured, so a login each time is its normal way."""
    stores, profiles = ("td/a668", "uc/sector56"), installation.home / "profiles"
    installation.download(dict.fromkeys(stores, YESTERDAY))
    assert profiles.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in profiles.iterdir()} == {
        "td_a668.json": 0o600,
        "uc_sector56.json": 0o600,
    }
    journal = installation.download(dict.fromkeys(stores, YESTERDAY))
    assert {str(each.store): each.signed_in_again for each in journal.downloads} == {
        "td/a668": True,
        "uc/sector56": False,
    }
    assert installation.sandbox.log.logins == {"td/a668": 2, "uc/sector56": 1}
    installation.sandbox.fault("session_expired", crm="uc")
    journal = installation.download({"uc/sector56": YESTERDAY})
    assert [each.signed_in_again for each in journal.downloads] == [True]


def test_a_wrong_password_is_tried_once_and_leaves_the_other_stores_alone(installation: Installation) -> None:
    installation.environ["CRM_TD_A668_PASSWORD"] = "Not-this-1"
    installation.environ["CRM_UC_SECTOR56_PASSWORD"] = "Not-this-2"
    stores = ("td/a668", "uc/sector56", "uc/sushantlok1")
    journal = installation.download(dict.fromkeys(stores, (YESTERDAY, days("2026-02-12"))))
    assert installation.sandbox.log.rejected_logins == {"td/a668": 1, "uc/sector56": 1}
    assert sorted(store for store, _ in journal.errors) == ["td/a668"] * 2 + ["uc/sector56"] * 2
    for store, error in journal.errors:
        crm, code = store.split("/")
        assert isinstance(error, LoginRejected)
        assert str(error).startswith(f"{store}: the portal refused the user")
        assert str(error).endswith(f"crm_download bootstrap --crm {crm} --store {code}")
        assert_without_secrets(installation, whole(error))
    assert [len(journal.of(store)) for store in stores] == [0, 0, 2]
    assert not (installation.home / "profiles" / "td_a668.json").exists()


def whole(error: BaseException) -> str:
    """An error as a log shows it: with its causes."""
    return "".join(traceback.format_exception(error))


def test_without_a_login_the_error_names_the_settings_and_the_portal_is_not_asked(installation: Installation) -> None:
    del installation.environ["CRM_TD_A817_PASSWORD"]
    error = installation.download({"td/a817": YESTERDAY}).error_of("td/a817")
    assert isinstance(error, LoginMissing)
    assert str(error) == (
        "td/a817: signed out, and there is no login to use. Set CRM_TD_A817_USER and CRM_TD_A817_PASSWORD, "
        "or run: crm_download bootstrap --crm td --store a817"
    )
    assert installation.sandbox.log.counts()["rejected_logins"] == {}


def test_every_window_is_told_to_the_journal_before_it_is_asked_of_the_portal(installation: Installation) -> None:
    sandbox, seen = installation.sandbox, []

    class Watching(RememberedEvents):
        def started(self, store: Store, report: Report, window: Window) -> None:
            seen.append((sandbox.log.logins[str(store)], sandbox.log.exports[str(store)]))
            self.events.append(("started", str(store), window))

    journal = Watching()
    windows = (days("2026-02-11"), days("2026-02-12"), YESTERDAY)
    download_all(installation.settings, [installation.order("uc/sector56", *windows)], journal, clock=sandbox.clock)
    assert seen == [(0, 0), (1, 1), (1, 2)]
    assert journal.events == [(what, "uc/sector56", window) for window in windows for what in ("started", "landed")]


def test_a_502_and_a_page_of_html_cost_their_windows_and_the_page_is_kept_but_not_landed(
    installation: Installation,
) -> None:
    """A uc call is tried three times before a 502 is believed."""
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "12"
    stores = ("td/a668", "uc/sector56", "uc/sushantlok1")
    for store in stores:
        crm, code = store.split("/")
        times = 1 if crm == "td" else 3
        installation.sandbox.fault("502", crm=crm, store=code, at=["download", "export"], times=times)
        installation.sandbox.fault("html_instead_of_xlsx", crm=crm, store=code)
    windows = (days("2026-02-11"), days("2026-02-12"), YESTERDAY)
    journal = installation.download(dict.fromkeys(stores, windows))
    for store in stores:
        errors = [error for failed, error in journal.errors if failed == store]
        assert [type(error) for error in errors] == [PortalUnavailable, NotAWorkbook], errors
        unavailable, html = errors
        assert re.match(rf"{store}: http://\S+ answered 502 \(.+\)", str(unavailable))
        assert re.match(
            rf"{store}: expected an .xlsx workbook, found an HTML page of \d+ bytes that begins b'<!DOCTYPE html>",
            str(html),
        )
        (kept,) = [file for file in installation.refused if str(html).endswith(f". It was kept as {file}")]
        assert kept.read_bytes().startswith(b"<!DOCTYPE html>")
        assert_without_secrets(installation, whole(unavailable) + whole(html))
    assert [each.window for each in journal.downloads] == [YESTERDAY] * 3
    assert [name for name in installation.downloads if "2026-02-13_to" not in name] == []


def test_a_502_of_a_page_or_a_login_is_the_portals_trouble_and_not_the_passwords(installation: Installation) -> None:
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "5"
    installation.sandbox.fault("502", at=["login"], times=None)
    journal = installation.download(dict.fromkeys(("td/a668", "uc/sector56"), YESTERDAY))
    installation.sandbox.fault("502", at=["page"], times=None)
    pages = installation.download(dict.fromkeys(("td/a668", "uc/sector56"), YESTERDAY))
    errors = journal.errors + pages.errors
    assert [type(error) for _, error in errors] == [PortalUnavailable] * 4
    assert all(re.match(rf"{store}: http://\S+ answered 502 \(.+\)", str(error)) for store, error in errors)
    assert not (installation.home / "profiles").exists()


def test_a_session_that_ends_between_two_windows_costs_the_second_and_the_next_run_signs_in(
    installation: Installation,
) -> None:
    sandbox, stores = installation.sandbox, ("td/a668", "uc/sushantlok1")

    class Expiring(RememberedEvents):
        def landed(self, download: Download) -> None:
            self.downloads.append(download)
            sandbox.fault("session_expired", crm=download.store.crm, store=download.store.code)

    journal = Expiring()
    orders = [installation.order(store, YESTERDAY, days("2026-02-12")) for store in stores]
    download_all(installation.settings, orders, journal, clock=sandbox.clock)
    for store in stores:
        error = journal.error_of(store)
        assert isinstance(error, SessionDropped)
        assert str(error).startswith(f"{store}: ")
        assert "the next run signs in again" in str(error)
    again = installation.download(dict.fromkeys(stores, days("2026-02-12")))
    assert [each.signed_in_again for each in again.downloads] == [True, True]


def test_a_slow_portal_is_waited_for_up_to_the_page_limit(installation: Installation) -> None:
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "5"
    installation.sandbox.fault("slow", crm="td", seconds=0.3)
    installation.sandbox.fault("slow", crm="uc", at=["export"], seconds=30.0)
    journal = installation.download({"td/a668": YESTERDAY, "uc/sector56": YESTERDAY})
    assert [str(each.store) for each in journal.downloads] == ["td/a668"]
    error = journal.error_of("uc/sector56")
    assert isinstance(error, PortalChanged)
    assert str(error).startswith("uc/sector56: waited in vain during: export by export_report_get; at http://")
    assert_without_secrets(installation, whole(error))


def test_a_portal_that_does_not_answer_at_all_is_unavailable(installation: Installation) -> None:
    installation.sandbox.stop()
    error = installation.download({"td/a668": YESTERDAY}).error_of("td/a668")
    assert isinstance(error, PortalUnavailable)
    assert re.match(r"td/a668: .*ERR_CONNECTION_REFUSED.* \(during: open the login page\)", str(error))


def test_an_empty_day_is_a_proven_empty_file(installation: Installation) -> None:
    installation.sandbox.fault("no_business", first=YESTERDAY.first, last=YESTERDAY.last)
    stores = ("td/a668", "uc/sector56", "uc/sushantlok1")
    journal = installation.download(dict.fromkeys(stores, YESTERDAY))
    assert sorted(str(each.store) for each in journal.downloads) == sorted(stores)
    for download in journal.downloads:
        report = REPORTS[download.store.crm]
        table = workbook.read(download.file, report)
        assert len(prove(table, report, download.store, download.window, download.claims)) == 0
        assert (table.claims if report.footer else download.claims).rows == 0


def test_no_browser_on_the_machine_is_told_as_such(installation: Installation) -> None:
    installation.environ["CRM_BROWSER_PATH"] = "/nowhere/chromium"
    error = installation.download({"uc/sector56": YESTERDAY}).error_of("uc/sector56")
    assert isinstance(error, BrowserMissing)
    assert str(error).startswith("CRM_BROWSER_PATH: expected a browser, found none at /nowhere/chromium")


def test_what_is_wrong_with_one_stores_profile_leaves_the_other_stores_alone(installation: Installation) -> None:
    profiles = installation.home / "profiles"
    profiles.mkdir(mode=0o700)
    for name, text in (("uc_sector56", "not json"), ("td_a668", '{"cookies": [{"name": 1}], "origins": []}')):
        (profiles / f"{name}.json").write_text(text, encoding="utf-8")
        (profiles / f"{name}.json").chmod(0o600)
    journal = installation.download(dict.fromkeys(("uc/sector56", "td/a668", "uc/sushantlok1"), YESTERDAY))
    assert isinstance(journal.error_of("uc/sector56"), ConfigurationError)
    assert "crm_download bootstrap --crm uc --store sector56" in str(journal.error_of("uc/sector56"))
    assert isinstance(journal.error_of("td/a668"), BrowserFroze)
    assert str(journal.error_of("td/a668")).startswith("td/a668: the browser did not start")
    assert [str(each.store) for each in journal.downloads] == ["uc/sushantlok1"]
