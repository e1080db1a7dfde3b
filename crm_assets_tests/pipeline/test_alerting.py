"""Alerts from the ledger to a mailbox: what a person reads, how often, and what it costs when nobody can be reached."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crm_assets.errors import (
    CrmError,
    LoginRejected,
    OtpRequired,
    PersonAwaited,
    PortalUnavailable,
    WrongWindow,
)
from crm_assets.model import AccountState, Problem, Reject, Store
from crm_assets.pipeline.alerting import Told, raise_alerts
from crm_assets.settings import Settings, load_settings
from crm_assets.warehouse import alerts, rejects, sessions
from crm_assets.warehouse.connection import Connection, connect
from crm_assets.warehouse.troubles import Trouble
from crm_assets_tests.fixtures.postgres import new_database
from crm_assets_tests.postbox import (
    PASSWORD,
    MailServer,
    free_port,
    mail_server,
    mail_url,
    silent_server,
    webhook,
)
from crm_assets_tests.warehouse.samples import REPORTS, TD, UC, fetched, nov, window
from crm_assets_tests.warehouse.troubled import at, emptied, failed, good, person_needed

STORES = """\
crms:
  td:
    title: TumbleDry
    portal: crm_assets.portals.tumbledry
    site: {subs: "http://127.0.0.1:1", reports: "http://127.0.0.1:1"}
    stores:
      a668: {name: "Uttam Nagar", first_day: 2025-11-01}
      a817: {name: "Kirti Nagar", first_day: 2025-11-01}
  uc:
    title: UClean
    portal: crm_assets.portals.uclean
    site: {panel: "http://127.0.0.1:1", api: "http://127.0.0.1:1"}
    stores:
      sector56: {name: "Sector 56", first_day: 2025-11-01}
"""
A817 = Store(crm="td", code="a817", name="Kirti Nagar", first_day=nov(1))
OTP = OtpRequired(f"td/a668: signed out, and an OTP is asked for. Run: {TD.bootstrap_command}")
MINUTE = 1 / 60


def away(store: Store) -> PortalUnavailable:
    return PortalUnavailable(f"{store}: expected the login page, found nothing within 45 s. Run it again later")


@dataclass(kw_only=True)
class Watch:
    """An installation whose alerts arrive in ``post``, and what they are looked at with."""

    conn: Connection
    home: Path
    post: MailServer
    urls: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.home / "stores.yaml").write_text(STORES, encoding="utf-8")
        self.urls = self.post.url

    @property
    def settings(self) -> Settings:
        given = {"CRM_HOME": str(self.home)} | ({"CRM_ALERT_URLS": self.urls} if self.urls else {})
        return load_settings(given | self.more)

    def look(self, hours: float, *extra: Trouble, conn: Connection | None = None, seconds: float = 10) -> Told:
        return raise_alerts(self.settings, conn or self.conn, lambda: at(hours), extra, seconds=seconds)

    @property
    def last(self) -> tuple[str, str]:
        """Subject and text of the newest mail."""
        return self.post.subjects[-1], self.post.texts[-1]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database that the tests of this module share, one after the other."""
    with new_database(postgres_url, template=migrated_template) as url:
        yield url


@pytest.fixture
def watch(url: str, tmp_path: Path, mailbox: MailServer) -> Iterator[Watch]:
    mailbox.mails.clear()
    with emptied(url) as conn:
        yield Watch(conn=conn, home=tmp_path, post=mailbox)


def late(hours: float, store: Store = TD) -> Trouble:
    return Trouble(
        crm=store.crm,
        store=store.code,
        report="order_report",
        code="DataLate",
        message=f"{store}: expected data of today, found none since yesterday. See its last run",
        since=at(hours),
        times=1,
        last_at=at(hours),
    )


# What a person reads.


def test_an_otp_request_carries_the_exact_command_and_is_told_once(watch: Watch) -> None:
    person_needed(watch.conn, OTP, 0)
    assert watch.look(0) == Told(opened=1, told=1, messages=1)
    for hours in (1, 2):
        failed(watch.conn, PersonAwaited("td/a668: waits for a person"), hours)
        assert watch.look(hours) == Told()
    assert watch.last == (
        "[crm_assets] OtpRequired: td/a668",
        "OtpRequired at td/a668 (1 of 2 stores).\n"
        f"Next: {OtpRequired.next_step}\n"
        "\n"
        "td/a668: signed out, and an OTP is asked for. Run: crm_download bootstrap --crm td --store a668\n"
        "Seen 1 time, 2025-11-24 11:30.\n"
        "\n"
        "All that is wrong now: crm_download alerts",
    )
    sessions.record_state(watch.conn, TD, AccountState.OK, at(3), signed_in=True)
    assert watch.look(3) == Told(closed=1, recovered=1, messages=1)
    assert watch.last == (
        "[crm_assets] over: OtpRequired: td/a668",
        "OtpRequired is over at td/a668 (1 of 2 stores).\nSeen 3 times, 2025-11-24 11:30 to 2025-11-24 13:30.",
    )
    assert len(watch.post.mails) == 2


def test_each_store_that_needs_a_person_has_its_command(watch: Watch) -> None:
    person_needed(watch.conn, LoginRejected("td/a668: the portal refused the password"), 0)
    person_needed(watch.conn, LoginRejected("uc/sector56: the portal refused the password"), 0, store=UC)
    assert watch.look(0) == Told(opened=2, told=2, messages=1)
    subject, text = watch.last
    assert subject == "[crm_assets] LoginRejected: td/a668, uc/sector56"
    for store in (TD, UC):
        assert f"\n{store}: the portal refused the password\nRun: {store.bootstrap_command}\n" in text
    assert text.count("Next: ") == 1


def test_all_stores_failing_for_one_cause_is_one_alert_and_one_recovery(watch: Watch) -> None:
    for store in (TD, A817):
        failed(watch.conn, away(store), 0, store=store)
    assert watch.look(0) == Told(opened=2, told=2, messages=1)
    assert watch.last == (
        "[crm_assets] PortalUnavailable: td/a668, td/a817",
        "PortalUnavailable at td/a668, td/a817 (2 of 2 stores): expected the login page, found nothing within 45 s.\n"
        f"Next: {PortalUnavailable.next_step}\n"
        "Seen 2 times, 2025-11-24 11:30.\n"
        "\n"
        "All that is wrong now: crm_download alerts",
    )
    for store in (TD, A817):
        failed(watch.conn, away(store), 1, store=store)
    assert watch.look(1) == Told()
    for hours, store in ((2, TD), (2.1, A817)):
        good(watch.conn, hours, store=store)
        watch.look(hours)
    assert watch.post.subjects[1:] == ["[crm_assets] over: PortalUnavailable: td/a668, td/a817"]
    assert "Seen 4 times, 2025-11-24 11:30 to 2025-11-24 12:30." in watch.last[1]


def test_a_store_that_joins_an_outage_is_named_when_it_is_over(watch: Watch) -> None:
    failed(watch.conn, away(TD), 0)
    watch.look(0)
    failed(watch.conn, away(A817), 1, store=A817)
    assert watch.look(1) == Told(opened=1)
    for store in (TD, A817):
        good(watch.conn, 2, store=store)
    assert watch.look(2) == Told(closed=2, recovered=2, messages=1)
    assert watch.last[1].startswith("PortalUnavailable is over at td/a668, td/a817 (2 of 2 stores).")
    assert len(watch.post.mails) == 2


def test_a_recovery_says_where_it_goes_on_and_what_fails_instead(watch: Watch) -> None:
    for store in (TD, A817):
        failed(watch.conn, away(store), 0, store=store)
    watch.look(0)
    failed(watch.conn, WrongWindow("td/a668: other days"), 1)
    watch.look(1)
    assert watch.look(2.1) == Told(recovered=1, messages=1)
    assert watch.post.subjects[1:] == [
        "[crm_assets] WrongWindow: td/a668",
        "[crm_assets] over: PortalUnavailable: td/a668",
    ]
    assert watch.last[1].splitlines()[2:] == [
        "It goes on at td/a817.",
        "WrongWindow is what fails now at td/a668.",
    ]


def test_what_the_caller_found_is_told_store_by_store(watch: Watch) -> None:
    assert watch.look(0, late(0), late(0, A817)) == Told(opened=2, told=2, messages=1)
    assert watch.last[0] == "[crm_assets] DataLate: td/a668, td/a817"
    for store in (TD, A817):
        assert f"\n{store}: expected data of today, found none since yesterday. See its last run\n" in watch.last[1]
    assert watch.look(1, late(1)) == Told(closed=1, recovered=1, messages=1)


def test_a_store_that_is_not_listed_any_more_troubles_nobody(watch: Watch) -> None:
    gone = Store(crm="td", code="a999", name="Gone", first_day=nov(1))
    failed(watch.conn, away(gone), 0, store=gone)
    assert watch.look(0, late(0, gone)) == Told()


def test_many_stores_are_counted_and_a_long_sentence_is_cut(watch: Watch) -> None:
    codes = [f"a{number}" for number in range(100, 140)]
    listed = "".join(f'      {code}: {{name: "Store", first_day: 2025-11-01}}\n' for code in codes)
    (watch.home / "stores.yaml").write_text(STORES.replace("  uc:\n", f"{listed}  uc:\n"), encoding="utf-8")
    for code in codes:
        store = Store(crm="td", code=code, name="Store", first_day=nov(1))
        failed(watch.conn, PortalUnavailable(f"{store}: " + "no end " * 500), 0, store=store)
    assert watch.look(0).messages == 1
    assert watch.last[0] == "[crm_assets] PortalUnavailable: td/a100, td/a101, td/a102 and 37 more"
    assert "td/a119 and 20 more (40 of 42 stores): no end" in watch.last[1]
    assert len(watch.last[1]) < 1500


def test_an_alert_names_the_evidence_and_holds_no_customers_data(watch: Watch, tmp_path: Path) -> None:
    """The rows that made a file fail are in the warehouse; the alert has the failure's own sentence, and nothing of them."""
    row = {"order_number": "T1", "customer_name": "Never Shown Customer", "phone": "9999900000"}
    bad = Reject(
        day=nov(24), row_number=2, raw=row, problems=(Problem(column="phone", rule="10 digits", value="9999"),)
    )
    days = window(23, 24)
    ledger_id = fetched(watch.conn, days)
    rejects.replace(
        watch.conn, REPORTS["td"], store="a668", days=list(days.days()), ledger_id=ledger_id, rejects=[bad], now=at(0)
    )
    error: CrmError = WrongWindow(
        "td/a668: expected rows of 2025-11-23 to 2025-11-24, found 3 others. Look at the file"
    )
    error.evidence = tmp_path / "evidence"
    failed(watch.conn, error, 0)
    watch.look(0)
    [mail] = watch.post.mails
    assert f"{error}\nSeen 1 time, 2025-11-24 11:30.\nEvidence: {tmp_path / 'evidence'}" in watch.last[1]
    assert not [value for value in ("Never Shown", "9999") if value in mail.as_string()]


# When nobody can be reached.


def test_without_an_address_everything_is_written_down_and_nothing_counts_as_told(watch: Watch) -> None:
    watch.urls = ""
    failed(watch.conn, away(TD), 0)
    failed(watch.conn, WrongWindow("uc/sector56: other days"), 0, store=UC)
    assert watch.look(0) == Told(opened=2)
    good(watch.conn, 1, store=UC)
    assert watch.look(1) == Told(closed=1)
    watch.urls = watch.post.url
    assert watch.look(2) == Told(told=1, messages=1)
    assert watch.post.subjects == ["[crm_assets] PortalUnavailable: td/a668"]


def test_a_dead_mail_server_raises_nothing_and_is_tried_again_later(watch: Watch) -> None:
    port = free_port()
    watch.urls = mail_url(port)
    failed(watch.conn, away(TD), 0)
    assert watch.look(0) == Told(opened=1, undelivered=1)
    assert watch.look(0.5 * MINUTE) == Told()
    assert watch.look(1 * MINUTE) == Told(undelivered=1)
    [one] = alerts.find(watch.conn)
    assert (one.tries, one.last_delivery_error, one.told_at) == (2, "Undelivered", None)
    with mail_server(port) as revived:
        assert watch.look(2 * MINUTE) == Told()
        assert watch.look(3 * MINUTE) == Told(told=1, messages=1)
        good(watch.conn, 1)
    assert watch.look(1) == Told(closed=1, undelivered=1)
    assert watch.look(1 + MINUTE) == Told(undelivered=1)
    with mail_server(port) as again:
        assert watch.look(2) == Told(recovered=1, messages=1)
    assert (revived.subjects, again.subjects) == (
        ["[crm_assets] PortalUnavailable: td/a668"],
        ["[crm_assets] over: PortalUnavailable: td/a668"],
    )


def test_a_server_that_says_nothing_is_waited_for_once_however_much_there_is_to_tell(watch: Watch) -> None:
    person_needed(watch.conn, OTP, 0)
    failed(watch.conn, away(A817), 0, store=A817)
    failed(watch.conn, WrongWindow("uc/sector56: other days"), 0, store=UC)
    with silent_server() as silent:
        watch.urls = mail_url(silent.port)
        assert watch.look(0, seconds=0.4) == Told(opened=3, undelivered=3)
        assert silent.connections() == 1
    assert {one.last_delivery_error for one in alerts.find(watch.conn)} == {"Unanswered"}


def test_a_message_that_is_refused_holds_up_no_other(watch: Watch) -> None:
    with webhook() as hook:
        watch.urls = hook.url
        person_needed(watch.conn, OTP, 0)
        failed(watch.conn, away(A817), 0, store=A817)
        hook.status = 413
        assert watch.look(0) == Told(opened=2, undelivered=2)
        assert hook.asked == 2
        hook.status = 200
        assert watch.look(1).messages == 2


def test_beside_an_address_that_says_nothing_a_look_ends_in_time_and_the_next_one_goes_on(watch: Watch) -> None:
    failed(watch.conn, away(TD), 0)
    failed(watch.conn, WrongWindow("uc/sector56: other days"), 0, store=UC)
    with silent_server() as silent, webhook() as hook:
        watch.urls = f"{mail_url(silent.port)} {hook.url}"
        assert watch.look(0, seconds=0.5) == Told(opened=2, told=1, messages=1)
        assert watch.look(0, seconds=0.5) == Told(told=1, messages=1)
    assert hook.titles == ["[crm_assets] PortalUnavailable: td/a668", "[crm_assets] WrongWindow: uc/sector56"]


def test_one_address_that_works_is_enough(watch: Watch) -> None:
    with webhook() as hook:
        watch.urls = f"{mail_url(free_port())} {hook.url}"
        failed(watch.conn, away(TD), 0)
        assert watch.look(0) == Told(opened=1, told=1, messages=1)
        assert watch.look(1) == Told()
    assert hook.titles == ["[crm_assets] PortalUnavailable: td/a668"]


@pytest.mark.parametrize("way", ["unreadable", "a file that is not there"])
def test_a_wrong_setting_raises_nothing_and_shows_nothing(
    watch: Watch, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch.urls = f"mial://crm:{PASSWORD}@crm.example" if way == "unreadable" else ""
    watch.more = {"CRM_ALERT_URLS_FILE": f"{PASSWORD}.txt"} if way != "unreadable" else {}
    failed(watch.conn, away(TD), 0)
    assert watch.look(0) == Told(opened=1, undelivered=1)
    assert [one.last_delivery_error for one in alerts.find(watch.conn)] == ["ConfigurationError"]
    assert "[undelivered] [[crm_assets] PortalUnavailable: td/a668: CRM_ALERT_URLS" in caplog.text
    assert PASSWORD not in caplog.text


def test_two_processes_that_look_at_once_tell_it_once(watch: Watch, url: str) -> None:
    failed(watch.conn, away(A817), 0, store=A817)
    person_needed(watch.conn, OTP, 0)

    def look(hours: float) -> Told:
        with connect(url) as conn:
            return watch.look(hours, conn=conn)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(look, [0, 0, 0, 0]))
    watch.look(0)
    assert (sum(one.opened for one in told), len(watch.post.mails)) == (2, 2)
