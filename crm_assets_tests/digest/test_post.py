"""The message: what it says, and when it is sent again."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from crm_assets.digest.figures import Digest, Mismatch, Sums
from crm_assets.digest.files import DigestFiles, write_digest
from crm_assets.digest.post import PAUSES, Sending, message_of, send
from crm_assets.digest.reading import digest_of
from crm_assets.digest.words import rupees
from crm_assets.notify import Undelivered
from crm_assets.warehouse.connection import Connection
from crm_assets_tests.digest.business import MADE_AT, NEVER_FETCHED, STORES, TODAY, Business

NOW = datetime(2025, 11, 24, 17, 0, tzinfo=UTC)
FILES = DigestFiles.of(Path("digests"), TODAY)


def test_the_totals_of_every_store_stand_in_it(digest: Digest) -> None:
    message = message_of(digest, FILES)
    assert message.title == f"Sales of Monday, 24 November 2025: {rupees(digest.total.day.amount)}"
    lines = message.body.splitlines()
    assert lines[0] == "Kirti Nagar: order report is late"
    for one in digest.sales:
        assert any(line.startswith(f"{one.store.name}: {rupees(one.sums.day.amount)}, ") for line in lines)
    assert f"Collected: {rupees(digest.money.day.amount)}" in lines
    assert lines[-1] == "* without days that were never fetched"
    assert (message.kind, message.files) == ("info", (FILES.page, FILES.workbook))


def test_a_day_that_was_not_fetched_is_not_told_as_0(conn: Connection, business: Business) -> None:
    message = message_of(digest_of(conn, STORES, NEVER_FETCHED, MADE_AT), FILES)
    assert message.title.endswith(": not fetched yet")
    assert message.body.count("not fetched yet") == len(STORES)
    assert "All stores" not in message.body
    assert "Collected" not in message.body


def test_figures_that_are_not_proven_are_told_as_a_failure(digest: Digest) -> None:
    wrong = Mismatch(what="td/a668: sales of the day", page=Sums(amount=Decimal(1)), tables=Sums())
    message = message_of(replace(digest, mismatches=(wrong,)), FILES)
    assert message.kind == "failure"
    assert message.body.startswith("RECONCILIATION FAILED")


def test_a_failed_sending_is_due_at_the_next_look_then_ever_later_and_not_for_ever() -> None:
    sending, now, waits = Sending.read(None, "2025-11-24"), NOW, []
    while sending.is_due(now):
        sending = Sending.read(str(sending.failed(now)), "2025-11-24")
        waits.append(next((wait for wait in (*PAUSES, timedelta(days=1)) if sending.is_due(now + wait)), None))
        now += waits[-1] or timedelta(days=2)
    assert waits == [*PAUSES, None]


def test_what_was_sent_is_not_sent_again_until_another_day() -> None:
    done = replace(Sending(day="2025-11-24"), done=True)
    assert not Sending.read(str(done), "2025-11-24").is_due(NOW + timedelta(days=300))
    assert Sending.read(str(done), "2025-11-25").is_due(NOW)


def test_who_took_it_without_a_word_in_time_is_named_and_not_asked_again(digest: Digest, tmp_path: Path) -> None:
    """It may have the message: whoever sends it again would tell it twice."""
    answers = threading.Event()
    posted: list[int] = []

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            answers.wait()
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the tests' screen."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = SecretStr(f"json://127.0.0.1:{server.server_port}")
        missed = send([url], digest, write_digest(tmp_path, digest), seconds=1)
        answers.set()
        server.shutdown()
    assert missed == ["the 1st address (json): no answer in time"]
    assert len(posted) == 1


def test_nobody_took_it_is_an_error(digest: Digest, tmp_path: Path) -> None:
    with pytest.raises(Undelivered, match="did not take the message"):
        send([SecretStr("json://127.0.0.1:9")], digest, write_digest(tmp_path, digest))
