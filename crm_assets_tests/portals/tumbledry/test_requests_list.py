"""The request list as it may come: odd rows, other orders, older rows of our range that come and go."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_assets.model import IST
from crm_assets.portals.tumbledry.requests_list import OwnRequest, RequestList, RequestRow, State

HEADER = ("S. No.", "Date Range", "Requested", "Status")
MAY = "28 May 2026 - 28 May 2026"
JUNE = "01 Jun 2026 - 03 Jun 2026"
ASKED = datetime(2026, 6, 3, 12, 30, 20, tzinfo=IST)
EARLIEST = ASKED - timedelta(minutes=10)


def table(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> list[list[dict[str, Any]]]:
    """Rows as the page hands them over."""
    return [
        [{"text": text, "link": text == "Download"} for text in cells]
        for cells in (header, *([str(at), *row] for at, row in enumerate(rows, start=1)))
    ]


def listed(*rows: tuple[str, ...]) -> RequestList:
    return RequestList.of(table(*rows))


def at(clock: str, day: int = 3) -> str:
    return f"{day:02} Jun 2026 {clock}"


def ours(before: RequestList, after: RequestList) -> OwnRequest | None:
    return after.newcomer(before, JUNE, ASKED, EARLIEST)


def test_our_row_is_found_though_an_older_one_of_its_range_fell_off_the_end() -> None:
    older = [(JUNE, at("12:04 PM"), "Download"), (MAY, at("09:00 AM"), "Download"), (JUNE, at("08:00 AM"), "Download")]
    before, after = listed(*older), listed((JUNE, at("12:30 PM"), "Processing"), *older[:2])
    own = ours(before, after)
    assert own and (own.requested, own.older, own.requested_at) == (at("12:30 PM"), 0, ASKED.replace(second=0))
    assert ours(before, listed(*older[:2])) is None


def test_of_two_requests_in_one_minute_ours_is_the_upper_one_and_stays_it() -> None:
    first = (JUNE, at("12:30 PM"), "Download")
    second = (JUNE, at("12:30 PM"), "Processing")
    before, after = listed(first), listed(second, first)
    own = ours(before, after)
    assert own and own.older == 1
    row = after.row_of(own)
    assert row and row.state is State.UNDER_WAY
    later = listed((JUNE, at("12:30 PM"), "Failed"), ("", ""), (JUNE, at("12:30 PM"), "Download"), first)
    row = later.row_of(own)
    assert row and (row.state, later.place_of(own)) == (State.READY, 1)
    assert ours(before, before) is None


def test_an_old_row_that_comes_back_is_not_ours() -> None:
    """Rows above it were removed by somebody, and the list shows as many as before."""
    before = listed((MAY, at("12:00 PM"), "Download"), (MAY, at("11:00 AM"), "Failed"))
    assert ours(before, listed((MAY, at("12:00 PM"), "Download"), (JUNE, at("10:00 AM"), "Download"))) is None
    assert ours(listed(), listed((JUNE, at("12:04 PM"), "Download"))) is None, "nor one that was slow to show"


def test_the_portals_clock_may_be_another_than_ours() -> None:
    before = listed((MAY, at("11:00 AM"), "Download"))
    own = ours(before, listed((JUNE, at("11:20 AM"), "Processing"), (MAY, at("11:00 AM"), "Download")))
    assert own and own.requested_at == ASKED.replace(hour=11, minute=20, second=0)


def test_a_list_with_the_oldest_row_on_top_is_read_the_other_way_round() -> None:
    old, same = (JUNE, at("09:00 AM"), "Download"), (JUNE, at("12:30 PM"), "Download")
    before, after = listed(old, same), listed(old, same, (JUNE, at("12:30 PM"), "Processing"))
    own = ours(before, after)
    assert own and (own.older, after.place_of(own)) == (1, 1)
    row = after.row_of(own)
    assert row and row.state is State.UNDER_WAY


def test_columns_go_by_their_names_and_rows_that_lack_cells_are_passed_over() -> None:
    header = ("S. No.", "Store", "Requested", "Date Range", "Status")
    rows = [("A668", at("12:30 PM"), JUNE, "Processing"), ("No more requests",)]
    (row,) = RequestList.of(table(*rows, header=header)).rows
    assert (row.range_text, row.requested, row.status) == (JUNE, at("12:30 PM"), "Processing")
    assert RequestList.of([]).rows == ()


@pytest.mark.parametrize(
    ("status", "offers", "state"),
    [
        ("Processing, Estimated Time 0m 0s", False, State.UNDER_WAY),
        ("Queued", False, State.UNDER_WAY),
        ("", False, State.UNDER_WAY),
        ("Download", True, State.READY),
        ("Ready: Download", True, State.READY),
        ("Processing failed", False, State.ENDED),
        ("Expired", False, State.ENDED),
        ("Download has expired", True, State.ENDED),
        ("Archived", False, State.ENDED),
    ],
)
def test_the_status_cell_alone_says_how_a_request_stands(status: str, offers: bool, state: State) -> None:
    assert RequestRow(range_text=MAY, requested=at("12:30 PM"), status=status, offers=offers).state is state


def test_an_earlier_request_is_taken_up_by_its_minute_unless_it_is_over() -> None:
    rows = [(JUNE, at("12:30 PM"), "Failed"), (JUNE, at("12:30 PM"), "Processing"), (MAY, at("11:00 AM"), "Download")]
    own = listed(*rows).standing(JUNE, ASKED)
    assert own and (own.older, own.asked_at) == (0, ASKED)
    assert listed(rows[0], rows[2]).standing(JUNE, ASKED) is None
    assert listed(*rows).standing(MAY, ASKED) is None
