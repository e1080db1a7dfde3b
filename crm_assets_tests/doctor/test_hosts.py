"""The portals' hosts: every step that can fail, on real sockets."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from crm_assets.browser.guard import HostGuard
from crm_assets.doctor.findings import Finding, Level
from crm_assets.doctor.hosts import look_at_host
from crm_assets.model import system_clock
from crm_assets_tests.doctor.servers import Authority, answering, new_authority, refused, silent
from crm_assets_tests.fixtures.sandbox import Installation

OURS = HostGuard.of(["http://127.0.0.1", "https://localhost"], ["cdn.example.com"])


def look(address: str, *, step_seconds: float = 5) -> list[Finding]:
    return look_at_host(address, OURS, system_clock, step_seconds=step_seconds)


def only(address: str, *, step_seconds: float = 5) -> Finding:
    (finding,) = look(address, step_seconds=step_seconds)
    assert finding.subject == "host"
    return finding


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this process trusts."""
    authority = new_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def test_every_origin_of_the_sandbox_is_well(installation: Installation) -> None:
    for origin in ("subs", "reports", "storepanel", "api"):
        finding = only(installation.sandbox.urls[origin])
        assert finding.level is Level.GREEN, finding
        assert finding.name == installation.sandbox.urls[origin].removeprefix("http://")
        assert "its clock is" in finding.found
    assert installation.sandbox.log.logins == {}


def test_a_name_that_nobody_has_is_red() -> None:
    finding = only("https://nowhere.invalid", step_seconds=20)
    assert (finding.level, finding.name) == (Level.RED, "nowhere.invalid:443")
    assert "its name does not resolve: " in finding.found
    assert "See site in stores.yaml" in finding.next_step


def test_a_port_on_which_nobody_listens_is_red() -> None:
    finding = only(f"http://127.0.0.1:{refused()}")
    assert (finding.level, finding.found) == (Level.RED, "no connection to 127.0.0.1: Connection refused")


@pytest.mark.parametrize(
    ("scheme", "sentence"),
    [
        ("http", "it takes connections and does not answer within 1 s"),
        ("https", "no TLS handshake within 1 s"),
    ],
)
def test_a_server_that_never_answers_costs_its_step_and_is_red(scheme: str, sentence: str) -> None:
    with silent() as port:
        began = time.monotonic()
        finding = only(f"{scheme}://127.0.0.1:{port}", step_seconds=1)
        assert time.monotonic() - began < 3
    assert (finding.level, finding.found) == (Level.RED, sentence)


def test_a_server_that_speaks_no_tls_is_red() -> None:
    with answering() as port:
        finding = only(f"https://localhost:{port}")
    assert finding.level is Level.RED
    assert finding.found.startswith("no TLS handshake: ")


# Certificates.


def test_a_good_certificate_says_how_long_it_lasts(authority: Authority) -> None:
    with answering(tls=authority.tls(days=90.5)) as port:
        finding = only(f"https://localhost:{port}")
    assert finding.level is Level.GREEN
    assert "its certificate is good for 90 days, answers 200" in finding.found


def test_a_certificate_that_soon_ends_is_yellow(authority: Authority) -> None:
    with answering(tls=authority.tls(days=3.5)) as port:
        finding = only(f"https://localhost:{port}")
    assert (finding.level, finding.found) == (Level.YELLOW, "its certificate ends in 3 days")
    assert finding.next_step


def test_a_certificate_that_has_ended_is_red(authority: Authority) -> None:
    with answering(tls=authority.tls(days=-1)) as port:
        finding = only(f"https://localhost:{port}")
    assert (finding.level, finding.found) == (
        Level.RED,
        "its certificate does not hold: certificate has expired",
    )
    assert "this machine's clock" in finding.next_step


def test_a_certificate_signed_by_itself_is_red(authority: Authority) -> None:
    with answering(tls=authority.tls(self_signed=True)) as port:
        finding = only(f"https://localhost:{port}")
    assert finding.level is Level.RED
    assert "self-signed certificate" in finding.found
    assert "Find out who answers before anyone signs in" in finding.next_step


def test_a_certificate_of_another_host_is_red(authority: Authority) -> None:
    with answering(tls=authority.tls(host="elsewhere.example.com")) as port:
        finding = only(f"https://localhost:{port}")
    assert finding.level is Level.RED
    assert "Hostname mismatch" in finding.found
    assert "See site in stores.yaml" in finding.next_step


# Clocks.


@pytest.mark.parametrize(
    ("seconds", "level", "words"),
    [
        (20, Level.GREEN, "its clock is"),
        (90, Level.YELLOW, "s ahead of ours"),
        (-120, Level.YELLOW, "s behind ours"),
        (-3600, Level.RED, "3600 s behind ours"),
    ],
)
def test_a_clock_is_compared_with_ours(seconds: int, level: Level, words: str) -> None:
    with answering(date=system_clock() + timedelta(seconds=seconds, milliseconds=500)) as port:
        finding = only(f"http://127.0.0.1:{port}")
    assert finding.level is level
    assert words in finding.found
    assert bool(finding.next_step) == (level is not Level.GREEN)


def test_a_date_that_a_cache_has_kept_counts_with_its_age() -> None:
    with answering(date=system_clock() - timedelta(hours=2), Age="7200") as port:
        assert only(f"http://127.0.0.1:{port}").level is Level.GREEN


def test_a_date_that_cannot_be_read_is_no_clock() -> None:
    with answering(date=system_clock(), Age="old") as port:
        assert "it tells no time" in only(f"http://127.0.0.1:{port}").found


# Answers.


@pytest.mark.parametrize("place", ["/login", "https://cdn.example.com/x", "http://127.0.0.1:1/other"])
def test_a_redirect_to_a_host_of_the_store_list_is_well_and_not_followed(place: str) -> None:
    with answering(302, Location=place) as port:
        finding = only(f"http://127.0.0.1:{port}")
    assert finding.level is Level.GREEN
    assert "answers 302" in finding.found


def test_a_redirect_to_another_host_is_yellow_and_shows_no_query() -> None:
    with answering(301, Location="https://new.example.com/login?token=Never-Shown-1") as port:
        finding = only(f"http://127.0.0.1:{port}")
    assert (finding.level, finding.found) == (
        Level.YELLOW,
        "the portal leads to new.example.com, which stores.yaml does not list",
    )
    assert "see site in stores.yaml" in finding.next_step


def test_a_server_error_is_yellow_and_every_problem_is_told() -> None:
    with answering(502, date=system_clock() - timedelta(minutes=5)) as port:
        findings = look(f"http://127.0.0.1:{port}")
    assert [finding.level for finding in findings] == [Level.YELLOW, Level.YELLOW]
    assert "server error (502)" in findings[0].found
    assert "behind ours" in findings[1].found
