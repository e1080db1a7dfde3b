"""TumbleDry's report requests: the right range, our own row, and the Export button where there is one."""

from datetime import datetime, timedelta

import pytest

from crm_assets.errors import ExportFailed, ExportTimedOut, PortalUnavailable, WrongStore
from crm_assets.model import Download
from crm_assets.portals.tumbledry.reports import SALES_AND_DELIVERY
from crm_assets.sandbox import SandboxOptions
from crm_assets.sandbox.layouts import ORDER_REPORT as LAYOUT
from crm_assets.sandbox.layouts import SALES_AND_DELIVERY as SALES_LAYOUT
from crm_assets.sandbox.workbooks import workbook as sheetjs
from crm_assets_tests.fixtures.sandbox import NOON, Installation, days


def portals_own(installation: Installation, download: Download, as_of: datetime | None = None) -> bytes:
    """The workbook the portal writes for this window, now or at an earlier moment."""
    return sheetjs(LAYOUT, installation.sandbox.books.td_orders(download.store.code, download.window, as_of))


@pytest.mark.parametrize(
    ("today", "ranges"),
    [
        (
            "2026-02-14T12:30",
            [("2026-01-29", "2026-01-31"), ("2026-01-30", "2026-02-14"), ("2025-12-31", "2026-01-01")],
        ),
        (
            "2026-03-31T12:30",
            [("2026-02-28", "2026-03-31"), ("2026-02-01", "2026-02-28"), ("2026-01-31", "2026-01-31")],
        ),
    ],
)
def test_ranges_over_months_of_any_length_are_asked_for_as_meant(
    installation: Installation, today: str, ranges: list[tuple[str, str]]
) -> None:
    installation.sandbox.clock.set(datetime.fromisoformat(today))
    windows = tuple(days(first, last) for first, last in ranges)
    journal = installation.download({"td/a668": windows})
    assert journal.errors == []
    assert [each.window for each in journal.downloads] == list(windows)
    for download in journal.downloads:
        assert download.file.read_bytes() == portals_own(installation, download)


def test_our_own_request_is_taken_though_older_ones_of_the_same_range_stand_in_the_list(
    installation: Installation,
) -> None:
    """The list holds today's range of 12:04 and 09:04, and our own one of three hours ago: each with fewer orders."""
    clock, today = installation.sandbox.clock, days("2026-02-14")
    installation.download({"td/a668": today})
    clock.advance(timedelta(hours=3))
    (download,) = installation.download({"td/a668": today}).downloads
    content = download.file.read_bytes()
    assert content == portals_own(installation, download)
    assert content not in [
        portals_own(installation, download, as_of) for as_of in (NOON, NOON.replace(hour=15, minute=4))
    ]
    assert download.requested_at == clock.now()
    assert installation.sandbox.log.requests["td/a668"] == 2


def test_two_requests_of_one_range_in_one_minute_are_told_apart(installation: Installation) -> None:
    today = days("2026-02-14")
    journal = installation.download({"td/a668": (today, today)})
    assert journal.errors == []
    first, second = journal.downloads
    assert first.md5 == second.md5
    assert installation.sandbox.log.requests["td/a668"] == installation.sandbox.log.exports["td/a668"] == 2


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(td_direct_export=True, td_sessions="kept")])
def test_the_export_button_is_used_where_there_is_one_and_a_honoured_session_is_reused(
    installation: Installation,
) -> None:
    windows = (days("2026-01-30", "2026-02-01"), days("2026-02-13"))
    downloads = installation.download({"td/a668": windows}).downloads
    downloads += installation.download({"td/a668": windows[0]}).downloads
    assert [each.strategy for each in downloads] == ["export_button"] * 3
    assert [each.signed_in_again for each in downloads] == [True, True, False]
    for download in downloads:
        assert download.file.read_bytes() == portals_own(installation, download)
    assert installation.sandbox.log.requests == {}


def payments(installation: Installation, download: Download) -> bytes:
    """The portal's Sales & Delivery workbook of this window."""
    return sheetjs(SALES_LAYOUT, installation.sandbox.books.td_payments(download.store.code, download.window))


def test_the_second_report_has_a_page_and_a_list_of_its_own(installation: Installation) -> None:
    """Two windows, after the order report was asked for one of them in the same minute."""
    windows = (days("2026-02-01", "2026-02-14"), days("2026-02-13"))
    installation.download({"td/a668": windows[0]})
    journal = installation.download({"td/a668": windows}, report=SALES_AND_DELIVERY)
    assert journal.errors == []
    assert [each.window for each in journal.downloads] == list(windows)
    for download in journal.downloads:
        assert (
            download.file.name
            == f"TD_SalesAndDelivery_UttamNagar_{download.window.first}_to_{download.window.last}.xlsx"
        )
        assert download.file.read_bytes() == payments(installation, download)


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(td_direct_export=True, td_sessions="kept")])
def test_the_second_report_takes_the_export_button_too_and_refuses_the_other_stores(installation: Installation) -> None:
    window = days("2026-02-10", "2026-02-12")
    (download,) = installation.download({"td/a668": window}, report=SALES_AND_DELIVERY).downloads
    assert (download.strategy, download.file.read_bytes()) == ("export_button", payments(installation, download))
    installation.sandbox.fault("other_store", crm="td", at=["page"], times=1)
    refused = installation.download({"td/a668": window}, report=SALES_AND_DELIVERY)
    assert isinstance(refused.error_of("td/a668"), WrongStore)


def write_site(installation: Installation, **words: float) -> None:
    """``stores.yaml`` with these words for TumbleDry's site."""
    reports = f'reports: "{installation.sandbox.urls["reports"]}"'
    said = "".join(f", {name}: {value}" for name, value in words.items())
    installation.write_stores(**{reports: reports + said})


def test_a_report_that_is_not_ready_in_time_is_taken_up_by_the_next_attempt_and_not_requested_twice(
    installation: Installation,
) -> None:
    write_site(installation, report_seconds=1)
    installation.sandbox.fault("stuck")
    journal = installation.download({"td/a668": days("2026-02-13")})
    error = journal.error_of("td/a668")
    assert isinstance(error, ExportTimedOut)
    assert str(error) == (
        "td/a668: the report of 2026-02-13 to 2026-02-13 was requested 14 Feb 2026 12:30 PM and is not ready after 1 s. "
        "Try again later: it is not requested a second time while the portal has it"
    )
    assert error.requested_at == NOON
    installation.sandbox.clear_faults()
    installation.sandbox.clock.advance(timedelta(minutes=5))
    (download,) = installation.download({"td/a668": days("2026-02-13")}, journal).downloads
    assert download.requested_at == NOON
    assert download.file.read_bytes() == portals_own(installation, download, NOON)
    assert installation.sandbox.log.requests["td/a668"] == 1


def test_a_request_that_fails_is_told_at_once_in_the_portals_word_and_made_anew(installation: Installation) -> None:
    """The second attempt looks for the request it knows of, finds it failed, and asks again."""
    sandbox, window = installation.sandbox, days("2026-02-12", "2026-02-13")
    sandbox.fault("request_fails", word="Expired, ask 98100")
    journal = installation.download({"td/a668": window})
    error = journal.error_of("td/a668")
    assert isinstance(error, ExportFailed)
    assert "requested 14 Feb 2026 12:30 PM, the portal says 'Expired, ask #####'" in str(error)
    journal.pending["td/a668", window] = NOON
    (download,) = installation.download({"td/a668": window}, journal).downloads
    assert download.file.read_bytes() == portals_own(installation, download)
    assert sandbox.log.requests["td/a668"] == 2


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(td_list_refreshes=False)])
def test_a_list_that_does_not_refresh_itself_is_opened_anew_until_our_report_is_there(
    installation: Installation,
) -> None:
    write_site(installation, list_seconds=0.3)
    (download,) = installation.download({"td/a668": days("2026-02-14")}).downloads
    assert download.file.read_bytes() == portals_own(installation, download)
    assert installation.sandbox.log.requests["td/a668"] == 1


def test_the_other_stores_report_is_refused_before_it_is_requested_and_its_file_before_it_lands(
    installation: Installation,
) -> None:
    installation.sandbox.fault("other_store", crm="td", at=["page"], times=1)
    installation.sandbox.fault("other_store", crm="td", at=["download"], times=1)
    journal = installation.download({"td/a668": (days("2026-02-12"), days("2026-02-13"))})
    (_, page), (_, file) = journal.errors
    assert isinstance(page, WrongStore)
    assert str(page).startswith("td/a668: expected the report app of a668, found that of a817. Nothing was requested.")
    assert isinstance(file, WrongStore)
    assert "td/a668: expected a file whose name begins with 1170-, found 1247-. It was kept as " in str(file)
    assert installation.sandbox.log.requests["td/a668"] == 1
    assert installation.downloads == []
    (kept,) = installation.refused
    assert kept.name == "20260214-123000_TD_OrderReport_UttamNagar_2026-02-13_to_2026-02-13.xlsx"


def test_a_502_of_the_request_itself_is_told_as_such(installation: Installation) -> None:
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "12"
    installation.sandbox.fault("502", crm="td", at=["request"])
    journal = installation.download({"td/a668": (days("2026-02-12"), days("2026-02-13"))})
    assert isinstance(journal.error_of("td/a668"), PortalUnavailable)
    assert "/api/order-report/requests answered 502" in str(journal.error_of("td/a668"))
    assert [each.window for each in journal.downloads] == [days("2026-02-13")]
