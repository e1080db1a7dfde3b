"""Log lines: ``[timestamp] [crm/store] [event] [filename or error]``, whoever writes them, one line each."""

import io
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from crm_assets import logs
from crm_assets.errors import OtpRequired

LINE = re.compile(r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+05:30)\] \[([^\]]+)\] \[([^\]]+)\] \[(.+)\]")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the lines go; the logger is as it was afterwards."""
    log, stream = logs.log, io.StringIO()
    before = log.handlers[:], log.level, log.propagate
    logs.to_stream(stream)
    yield stream
    log.handlers[:], log.propagate = before[0], before[2]
    log.setLevel(before[1])


def parts(stream: io.StringIO) -> tuple[str, ...]:
    """Store, event and detail of the one line that was written."""
    (line,) = stream.getvalue().splitlines()
    match = LINE.fullmatch(line)
    assert match, line
    return match.groups()[1:]


def test_a_line_says_when_which_store_what_and_the_detail(stream: io.StringIO) -> None:
    logs.say("td/a668", "downloaded", "TD_OrderReport_UttamNagar.xlsx")
    assert parts(stream) == ("td/a668", "downloaded", "TD_OrderReport_UttamNagar.xlsx")


def test_the_time_is_kolkatas(stream: io.StringIO) -> None:
    record = logging.makeLogRecord({"msg": "[td/a668] [started] [-]", "store": "td/a668", "levelno": logging.INFO})
    record.created = datetime(2025, 12, 31, 18, 30, tzinfo=UTC).timestamp()
    logs.log.handle(record)
    assert stream.getvalue() == "[2026-01-01T00:00:00+05:30] [td/a668] [started] [-]\n"


def test_a_line_without_detail_keeps_its_four_parts(stream: io.StringIO) -> None:
    logs.say("td/a668", "signed in")
    assert parts(stream) == ("td/a668", "signed in", "-")


def test_an_error_of_several_lines_stays_one_line(stream: io.StringIO) -> None:
    logs.say("td/a668", "failed", OtpRequired("an OTP is asked for.\nRun: crm_download bootstrap"))
    assert parts(stream) == ("td/a668", "failed", "an OTP is asked for. Run: crm_download bootstrap")


def test_what_is_nobodys_stores_has_the_same_four_parts(stream: io.StringIO) -> None:
    logging.getLogger("crm_assets.browser.chrome").warning("ended %d browser processes", 9)
    assert parts(stream) == ("-", "warning", "ended 9 browser processes")


def test_a_percent_sign_in_a_detail_is_text(stream: io.StringIO) -> None:
    logs.say("td/a668", "failed", "100%s of it")
    assert parts(stream)[-1] == "100%s of it"


def test_steps_are_told_only_when_asked_for(stream: io.StringIO) -> None:
    logs.say("td/a668", "probe the session", level=logging.DEBUG)
    assert stream.getvalue() == ""


def test_an_installations_own_handlers_get_store_event_and_detail_as_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="crm_assets"):
        logs.say("uc/sector56", "loaded", "2 new")
    (record,) = caplog.records
    assert (record.__dict__["store"], record.__dict__["event"], record.__dict__["detail"]) == (
        "uc/sector56",
        "loaded",
        "2 new",
    )
    assert record.getMessage() == "[uc/sector56] [loaded] [2 new]"
