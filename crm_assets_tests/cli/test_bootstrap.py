"""``crm_download bootstrap``: in a window, at a terminal, from a file; three ways, one result.

The window stands on a virtual screen, where a robot person presses real keys. Codes come from the sandbox, as on a mobile.
"""

import json
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from crm_assets import multi_crm_downloader
from crm_assets.account import Desk, profiles_of
from crm_assets.errors import PersonAwaited
from crm_assets.model import IST, AccountState, system_clock
from crm_assets.sandbox import Sandbox
from crm_assets.settings import load_settings
from crm_assets_tests.cli.accounts import account_of
from crm_assets_tests.cli.conversation import Conversation, at_a_pipe, at_a_terminal
from crm_assets_tests.fixtures.command import CommandLine, Ran, finished, new_command_line, read_until
from crm_assets_tests.fixtures.sandbox import Installation, RememberedAccounts
from crm_assets_tests.fixtures.screen import Screen

TD, UC = "td/a668", "uc/sector56"
YOUR_TURN = "[waiting for a person]"
QUESTION = re.compile(r"td/a668: (?P<words>\S[^\n]*) Code \(valid until (?P<until>\d\d:\d\d:\d\d) IST\): ")
WRONG = "000000"


def bootstrap(store: str, *ways: str) -> tuple[str, ...]:
    crm, code = store.split("/")
    return ("bootstrap", "--crm", crm, "--store", code, *ways)


def download(store: str) -> tuple[str, ...]:
    crm, code = store.split("/")
    return ("download", "--crm", crm, "--store", code, "--from", "today", "--to", "today")


def state_of(command: CommandLine, name: str) -> AccountState | None:
    known = account_of(command, name)
    return known.state if known else None


def profile_of(command: CommandLine, name: str, folder: str = "profiles") -> Path:
    return command.home / folder / f"{name.replace('/', '_')}.json"


def assert_kept(command: CommandLine, name: str, code: int, said: str) -> None:
    """A person has signed in: the session is saved for its owner alone, and the account works without anybody from now on."""
    profile, known = profile_of(command, name), account_of(command, name)
    assert code == 0, said
    assert f"{name}: session saved in {profile}" in " ".join(said.split())
    assert profile.stat().st_mode & 0o777 == 0o600
    assert known
    assert (known.state, known.reason, known.error_code) == (AccountState.OK, None, None)


def assert_untold(command: CommandLine, said: str) -> None:
    """No secret of the sandbox in what was said, and no traceback."""
    secrets = [value for name, value in command.sandbox.secrets().items() if name.endswith("_PASSWORD")]
    assert not [secret for secret in (*secrets, command.sandbox.totp_secret(TD)) if secret in said]
    assert "Traceback" not in said


def code_sent(sandbox: Sandbox, count: int) -> str:
    """The code on the store's mobile, once so many were sent."""
    pause = Event()
    for _ in range(300):
        if sandbox.log.codes_sent[TD] >= count:
            return sandbox.otp_code(TD)
        pause.wait(0.2)
    raise AssertionError(f"expected {count} codes, {sandbox.log.codes_sent[TD]} were sent")


@pytest.fixture(scope="module")
def shared(postgres_url: str, dagster_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """An installation for what does not mind what was there before."""
    with new_command_line(postgres_url, dagster_template, tmp_path_factory.mktemp("bootstrap")) as command:
        yield command


@pytest.fixture
def command(shared: CommandLine) -> Iterator[CommandLine]:
    """The shared installation, in order again afterwards; its sandbox's clock is the machine's, as an authenticator needs it."""
    shared.sandbox.clock.set(system_clock())
    yield shared
    shared.sandbox.clear_faults()
    shared.write_logins()


# In a window.


def fill_in(screen: Screen, code: str) -> None:
    screen.click_beside()
    screen.press("Tab", "ctrl+a")
    screen.type(code)
    screen.press("Return")


def pay_later(screen: Screen) -> None:
    """The second button: the first one is "Pay now"."""
    screen.click_beside()
    screen.press("Tab", "Tab", "Return")


@pytest.fixture(scope="module")
def in_a_window(shared: CommandLine, screen: Screen) -> tuple[Ran, Ran]:
    """A bootstrap with a code and a licence notice on the way, then an unattended run."""
    sandbox = shared.sandbox
    sandbox.fault("otp", store="a668")
    sandbox.fault("licence", store="a668")
    with shared.started(*bootstrap(TD), **screen.environ) as process:
        said = read_until(process.stderr, YOUR_TURN)
        screen.leave("Login", lambda: screen.press("Return"))  # the form is filled
        code = code_sent(sandbox, 1)
        screen.leave("Verification", lambda: fill_in(screen, code))
        screen.leave("Licence", lambda: pay_later(screen))
        out, err = process.communicate(timeout=60)
    sandbox.clear_faults()
    return Ran(code=process.returncode, out=out, err=said + err), shared(*download(TD))


def test_a_person_signs_in_in_the_window_and_the_session_is_kept(
    shared: CommandLine, in_a_window: tuple[Ran, Ran]
) -> None:
    ran, _ = in_a_window
    assert_kept(shared, TD, ran.code, ran.out)
    assert "sign in in the browser's window within 300 s; it closes by itself" in ran.err
    known = account_of(shared, TD)
    assert known
    assert known.last_login_at
    assert known.last_login_at > system_clock() - timedelta(minutes=10)
    assert_untold(shared, ran.said)


def test_the_next_unattended_run_needs_no_code(shared: CommandLine, in_a_window: tuple[Ran, Ran]) -> None:
    _, unattended = in_a_window
    assert unattended.code == 0, unattended
    assert shared.sandbox.log.codes_sent[TD] == 1


def test_without_a_login_the_window_waits_in_the_first_field(command: CommandLine, screen: Screen) -> None:
    user, password = (command.sandbox.secrets()[f"CRM_UC_SECTOR56_{part}"] for part in ("USER", "PASSWORD"))
    command.write_logins(CRM_UC_SECTOR56_USER="", CRM_UC_SECTOR56_PASSWORD="")
    with command.started(*bootstrap(UC), **screen.environ) as process:
        read_until(process.stderr, YOUR_TURN)
        for text, key in ((user, "Tab"), (password, "Return")):
            screen.type(text)
            screen.press(key)
        out, err = process.communicate(timeout=60)
    assert_kept(command, UC, process.returncode, out)
    assert_untold(command, out + err)
    assert command.sandbox.log.logins[UC] == 1


def test_overdue_orders_are_the_stores_own_business_and_the_session_is_good(
    command: CommandLine, screen: Screen
) -> None:
    command.sandbox.fault("overdue", store="a817")
    with command.started(*bootstrap("td/a817"), **screen.environ) as process:
        read_until(process.stderr, YOUR_TURN)
        screen.leave("Login", lambda: screen.press("Return"))
        out, err = process.communicate(timeout=60)
    assert_kept(command, "td/a817", process.returncode, out)
    assert "Someone at the store must clear them" in err
    assert command.sandbox.log.overdue_forced == {}


def test_a_closed_window_is_told_and_changes_nothing(command: CommandLine, screen: Screen) -> None:
    before = account_of(command, "td/a817")
    with command.started(*bootstrap("td/a817"), **screen.environ) as process:
        read_until(process.stderr, YOUR_TURN)
        screen.press("ctrl+w")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 3, out + err
    assert "td/a817: the window was closed before the session was saved" in err
    assert "Run again: crm_download bootstrap --crm td --store a817" in err
    assert "Traceback" not in err
    assert account_of(command, "td/a817") == before


def test_a_window_in_which_nobody_acts_is_given_up(
    installation: Installation, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", screen.display)
    monkeypatch.setattr(multi_crm_downloader, "PERSON_SECONDS", 2)
    book = RememberedAccounts()
    desk = Desk(settings=installation.settings, book=book, clock=system_clock, run_id="nobody", headless=False)
    with pytest.raises(PersonAwaited) as caught:
        multi_crm_downloader.bootstrap_in_window(desk, installation.store(TD), None)
    login_page = f"{installation.sandbox.urls['subs']}/Login"
    assert str(caught.value) == (
        f"td/a668: expected a person to sign in within 2 s, but the window is still at {login_page}. "
        "Run again: crm_download bootstrap --crm td --store a668"
    )
    assert book.states == []


def test_without_a_screen_the_terminal_is_advised(command: CommandLine) -> None:
    environ = {name: value for name, value in command.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    if sys.platform == "darwin":
        pytest.skip("macOS has a screen whatever the environment says")
    ran = finished(bootstrap(TD), environ)
    assert (ran.code, ran.out) == (4, "")
    assert "td/a668: expected a screen for the browser's window, found neither DISPLAY nor WAYLAND_DISPLAY" in ran.err
    assert "--terminal" in ran.err


# At a terminal.


def asked(person: Conversation) -> str:
    """The question for the code, which carries the page's words and the code's end; returns the words."""
    found = QUESTION.search(person.expect(" IST): "))
    assert found, person.said
    minutes = (datetime.strptime(found["until"], "%H:%M:%S") - _as_clock_time()).total_seconds() % 86400 / 60  # noqa: DTZ007
    assert 0 < minutes <= 5
    return found["words"]


def _as_clock_time() -> datetime:
    return datetime.strptime(f"{system_clock().astimezone(IST):%H:%M:%S}", "%H:%M:%S")  # noqa: DTZ007


def test_at_a_terminal_login_and_code_are_asked_for_and_a_wrong_code_is_asked_for_again(command: CommandLine) -> None:
    sandbox, logins = command.sandbox, command.sandbox.secrets()
    rejected_before = sandbox.log.rejected_codes[TD]
    sandbox.fault("otp")
    command.write_logins(CRM_TD_A668_USER="", CRM_TD_A668_PASSWORD="")
    with at_a_terminal(*bootstrap(TD, "--terminal"), environ=command.environ) as person:
        person.expect("td/a668: user: ")
        person.answer(logins["CRM_TD_A668_USER"])
        person.expect("td/a668: password: ")
        person.answer(logins["CRM_TD_A668_PASSWORD"])
        assert asked(person) == "We sent a code to your registered mobile. The code is valid for 5 minutes."
        person.answer(WRONG)
        assert "The code is wrong or has expired." in asked(person)
        person.answer(sandbox.otp_code(TD))
        code = person.ended()
    assert_kept(command, TD, code, person.said)
    assert logins["CRM_TD_A668_USER"] in person.said, "what is typed shows,"
    assert_untold(command, person.said)  # but for the password
    assert sandbox.log.rejected_codes[TD] - rejected_before == 1


def test_three_wrong_codes_from_a_pipe_leave_the_account_to_a_person(command: CommandLine) -> None:
    command.sandbox.fault("otp")
    with at_a_pipe(*bootstrap(TD, "--terminal"), environ=command.environ, typed=f"{WRONG}\n" * 3) as person:
        code = person.ended()
    assert code == 3, person.said
    assert person.said.count("Code (valid until ") == 3
    assert "td/a668: the portal refused the one-time password. Run: crm_download bootstrap" in person.said
    known = account_of(command, TD)
    assert known
    assert (known.state, known.error_code) == (AccountState.NEEDS_PERSON, "OtpRequired")


def test_an_input_that_ends_leaves_the_account_to_a_person(command: CommandLine) -> None:
    rejected_before = command.sandbox.log.rejected_codes[TD]
    command.sandbox.fault("otp")
    with at_a_pipe(*bootstrap(TD, "--terminal"), environ=command.environ, typed="") as person:
        code = person.ended()
    assert code == 3, person.said
    assert "td/a668: no code was given. Run: crm_download bootstrap --crm td --store a668" in person.said
    assert command.sandbox.log.rejected_codes[TD] == rejected_before
    assert state_of(command, TD) is AccountState.NEEDS_PERSON


def test_without_a_login_and_a_terminal_the_settings_are_named(command: CommandLine) -> None:
    command.write_logins(CRM_TD_A668_USER="", CRM_TD_A668_PASSWORD="")
    ran = command(*bootstrap(TD, "--terminal"))
    assert (ran.code, ran.out) == (3, "")
    assert "Set CRM_TD_A668_USER and CRM_TD_A668_PASSWORD" in ran.err


# Nobody is asked where a code comes by itself; and what a bootstrap settles.


def test_a_bootstrap_ends_the_wait_for_a_person(crm_download: CommandLine) -> None:
    sandbox, sent = crm_download.sandbox, [0]
    sandbox.fault("otp")

    def run(*arguments: str, **environ: str) -> Ran:
        ran = crm_download(*arguments, **environ)
        sent.append(sandbox.log.codes_sent[TD])
        return ran

    first, second = run(*download(TD), "--json"), run(*download(TD), "--json")
    assert (first.code, first.objects[TD]["error_code"]) == (3, "OtpRequired")
    assert (second.code, second.objects[TD]["error_code"]) == (3, "PersonAwaited")
    assert "so the portal was not asked" in second.said
    sandbox.clock.set(system_clock())  # an authenticator's codes are good for a minute
    by_authenticator = run(*bootstrap(TD, "--terminal"), CRM_TD_A668_OTP_SECRET=sandbox.totp_secret(TD))
    assert_kept(crm_download, TD, by_authenticator.code, by_authenticator.out)
    assert "Code (" not in by_authenticator.err, "nobody was asked"
    assert_untold(crm_download, by_authenticator.said)
    third = run(*download(TD), "--json")
    assert (third.code, third.objects[TD]["error_code"]) == (0, None)
    assert [after - before for before, after in pairwise(sent)] == [1, 0, 1, 0]


def test_a_file_that_appears_answers_without_a_question(command: CommandLine) -> None:
    command.sandbox.fault("otp")
    file = command.home / "code"
    sent = command.sandbox.log.codes_sent[TD]
    with command.started(*bootstrap(TD, "--terminal"), CRM_TD_A668_OTP_FILE=str(file)) as process:
        err = read_until(process.stderr, "[waiting for a code]")
        file.write_text(f"{code_sent(command.sandbox, sent + 1)}\n", encoding="utf-8")
        out, rest = process.communicate(timeout=60)
    assert_kept(command, TD, process.returncode, out)
    assert "Code (" not in err + rest
    assert not file.exists(), "a code is good for one login"


# From a file.


@pytest.fixture(scope="module")
def made_elsewhere(shared: CommandLine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Playwright state of td/a668 that carries a browser's trust, from a machine where a command knew the code."""
    sandbox, mobile = shared.sandbox, tmp_path_factory.mktemp("mobile") / "code"
    sandbox.clear_faults()
    sandbox.fault("otp")
    show = shlex.join([sys.executable, "-c", SHOW_CODE, str(mobile)])
    sent = sandbox.log.codes_sent[TD]
    with shared.started(
        *bootstrap(TD, "--terminal"), CRM_PROFILES_DIR="elsewhere", CRM_TD_A668_OTP_COMMAND=show
    ) as process:
        mobile.write_text(f"Your code is {code_sent(sandbox, sent + 1)}.", encoding="utf-8")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Code (" not in out + err, "a command answers without a question"
    state = json.loads(profile_of(shared, TD, "elsewhere").read_text(encoding="utf-8"))
    file = shared.home / "state.json"
    file.write_text(json.dumps({"cookies": state["cookies"], "origins": state["origins"]}), encoding="utf-8")
    return file


SHOW_CODE = """
import pathlib, sys, time
mobile = pathlib.Path(sys.argv[1])
for _ in range(300):
    if mobile.exists() and mobile.stat().st_size: break
    time.sleep(0.1)  # until the mobile shows the code
print(mobile.read_text())
"""


def test_a_state_whose_browser_is_trusted_is_accepted(command: CommandLine, made_elsewhere: Path) -> None:
    sent = command.sandbox.log.codes_sent[TD]
    ran = command(*bootstrap(TD, "--import", str(made_elsewhere)))
    assert_kept(command, TD, ran.code, ran.out)
    assert command.sandbox.log.codes_sent[TD] == sent
    assert_untold(command, ran.said)


def test_a_state_that_the_portal_does_not_trust_changes_nothing(command: CommandLine, made_elsewhere: Path) -> None:
    command.sandbox.fault("otp")
    before, profile = account_of(command, TD), profile_of(command, TD).read_bytes()
    ran = command(*bootstrap(TD, "--import", str(made_elsewhere)))
    assert (ran.code, ran.out) == (3, "")
    assert f"with the one in {made_elsewhere} it asks for an OTP. Nothing was changed." in ran.err
    assert (account_of(command, TD), profile_of(command, TD).read_bytes()) == (before, profile)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("no JSON", "td/a668: expected a Playwright storage state with cookies and origins, found none in"),
        ("another's", "td/a668: expected a profile sealed for this account, found one of another account"),
    ],
)
def test_a_file_that_is_no_state_of_the_account_is_refused(
    command: CommandLine, tmp_path: Path, content: str, sentence: str
) -> None:
    key = "b0" * 32
    if content == "another's":
        settings = load_settings(
            command.environ | {"CRM_PROFILE_KEY": key, "CRM_PROFILES_DIR": str(tmp_path / "sealed")}
        )
        profiles, other = profiles_of(settings), settings.store("td", "a817")
        profiles.save(other, profiles.imported(other, profile_of(command, "td/a817")), keep_previous=False)
        file = profiles.path(other)
    else:
        file = tmp_path / "state.json"
        file.write_text(content, encoding="utf-8")
    ran = command(*bootstrap(TD, "--import", str(file)), CRM_PROFILE_KEY=key)
    assert (ran.code, ran.out) == (4, "")
    assert sentence in ran.err


def test_a_state_with_a_live_token_needs_no_login(command: CommandLine) -> None:
    signed_in = command(*bootstrap(UC, "--terminal"), CRM_PROFILES_DIR="elsewhere")
    assert signed_in.code == 0, signed_in
    command.write_logins(CRM_UC_SECTOR56_USER="", CRM_UC_SECTOR56_PASSWORD="")
    logins = command.sandbox.log.logins[UC]
    ran = command(*bootstrap(UC, "--import", str(profile_of(command, UC, "elsewhere"))))
    assert_kept(command, UC, ran.code, ran.out)
    assert command.sandbox.log.logins[UC] == logins


def test_a_state_with_a_dead_token_and_no_login_changes_nothing(command: CommandLine) -> None:
    command.sandbox.fault("session_expired", crm="uc")
    command.write_logins(CRM_UC_SECTOR56_USER="", CRM_UC_SECTOR56_PASSWORD="")
    file, before = profile_of(command, UC, "elsewhere"), account_of(command, UC)
    assert file.exists()
    ran = command(*bootstrap(UC, "--import", str(file)))
    assert (ran.code, ran.out) == (3, ""), ran
    assert f"the one in {file} has ended, and there is no login to go on with. Nothing was changed." in ran.err
    assert account_of(command, UC) == before


# Several stores, several people.


def test_one_store_that_fails_does_not_stop_the_others(command: CommandLine) -> None:
    command.write_logins(CRM_UC_SECTOR56_PASSWORD="Never-Right-1")
    command.sandbox.fault("session_expired", crm="uc")
    ran = command("bootstrap", "--crm", "uc", "--store", "all", "--terminal")
    assert ran.code == 3, ran
    assert "uc/sector56: the portal refused the user or the password" in ran.err
    assert f"uc/sushantlok1: session saved in {profile_of(command, 'uc/sushantlok1')}" in ran.said
    states = [state_of(command, store) for store in (UC, "uc/sushantlok1")]
    assert states == [AccountState.NEEDS_PERSON, AccountState.OK]


def test_whoever_comes_while_another_works_in_the_account_waits_and_is_told_for_whom(command: CommandLine) -> None:
    command.sandbox.fault("otp")
    with at_a_pipe(*bootstrap(TD, "--terminal"), environ=command.environ) as first:
        asked(first)
        impatient = command(*bootstrap(TD, "--terminal"), CRM_ACCOUNT_WAIT_S="1")
        with command.started(*bootstrap(TD, "--terminal")) as second:
            waiting = read_until(second.stderr, "[waiting]")
            first.answer(command.sandbox.otp_code(TD))
            assert first.ended() == 0, first.said
            out, _ = second.communicate(timeout=60)
    holder = f"crm_download bootstrap, process {first.process.pid} on "
    assert impatient.code == 1, impatient
    assert f"[td/a668] [waiting] [the account is held by {holder}" in waiting
    assert f"td/a668: this account is still held after 1 s, by {holder}" in impatient.said
    assert_kept(command, TD, second.returncode, out)
