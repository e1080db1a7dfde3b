"""TumbleDry's report requests: the right range, our own row, and the Export button where there is one."""

from datetime import datetime, timedelta

import pytest

from crm_assets.errors import ExportTimedOut, PortalUnavailable
from crm_assets.model import Download
from crm_assets.sandbox import SandboxOptions
from crm_assets.sandbox.layouts import ORDER_REPORT as LAYOUT
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


@pytest.mark.parametrize("sandbox_options", [SandboxOptions(pace="real")])  # then a report takes 5 seconds or more
def test_a_report_that_is_not_ready_in_time_fails_with_how_long_it_was_waited_for(installation: Installation) -> None:
    reports = installation.sandbox.urls["reports"]
    installation.write_stores(**{f'reports: "{reports}"': f'reports: "{reports}", report_seconds: 1'})
    error = installation.download({"td/a668": days("2026-02-13")}).error_of("td/a668")
    assert isinstance(error, ExportTimedOut)
    assert str(error) == (
        "td/a668: the report of 2026-02-13 to 2026-02-13 was requested and is not ready after 1 s. Try again later"
    )


def test_a_502_of_the_request_itself_is_told_as_such(installation: Installation) -> None:
    installation.environ["CRM_PAGE_TIMEOUT_SECONDS"] = "5"
    installation.sandbox.fault("502", crm="td", at=["request"])
    journal = installation.download({"td/a668": (days("2026-02-12"), days("2026-02-13"))})
    assert isinstance(journal.error_of("td/a668"), PortalUnavailable)
    assert "/api/order-report/requests answered 502" in str(journal.error_of("td/a668"))
    assert [each.window for each in journal.downloads] == [days("2026-02-13")]
