"""Coverage of store-days, as the warehouse tells it."""

from crm_assets.errors import HeaderDrift, PortalUnavailable
from crm_assets.model import Store
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets.warehouse.connection import Connection
from crm_assets.warehouse.coverage import coverage
from crm_assets_tests.warehouse.attempts import HOUR, failed, loaded
from crm_assets_tests.warehouse.samples import NOW, TD, nov, staged, window, written

OTHER = Store(crm="td", code="a817", name="Kirti Nagar", first_day=nov(1))


def test_each_day_of_each_store_has_its_rows_or_why_there_are_none(conn: Connection) -> None:
    staged(conn, written("T1", 10), written("T2", 10, row_number=3), days=window(10, 11))
    failed(conn, window(12, 13), NOW - 3 * HOUR, HeaderDrift("one"))
    failed(conn, window(13), NOW - 2 * HOUR, PortalUnavailable("two"))
    failed(conn, window(10), NOW, PortalUnavailable("of a day that is there"))
    found = coverage(conn, ORDER_REPORT, [TD, OTHER], window(9, 13))
    assert [(one.store, one.day.day, one.rows, one.error_code) for one in found] == [
        ("a668", 9, None, None),
        ("a668", 10, 2, None),
        ("a668", 11, 0, None),
        ("a668", 12, None, "HeaderDrift"),
        ("a668", 13, None, "PortalUnavailable"),
        *(("a817", day, None, None) for day in range(9, 14)),
    ]


def test_a_good_attempt_after_a_failed_one_is_no_failure(conn: Connection) -> None:
    failed(conn, window(12), NOW - HOUR, PortalUnavailable("early"))
    loaded(conn, window(12), NOW)
    (one,) = coverage(conn, ORDER_REPORT, [TD], window(12))
    assert (one.rows, one.error_code) == (None, None), "its rows are not staged here"
