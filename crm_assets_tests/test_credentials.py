"""Credentials: each way a secret may be given, read with real files and commands, and told without being shown."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from crm_assets.credentials import (
    Credentials,
    command_output,
    credentials,
    has_login,
    profile_keys,
    secret,
    secret_name,
    secret_values,
)
from crm_assets.errors import ConfigurationError
from crm_assets.settings import PROJECT_ROOT, Settings, load_settings

NAME = "CRM_TD_A668_PASSWORD"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "stores.yaml").write_bytes((PROJECT_ROOT / "stores.yaml").read_bytes())
    return tmp_path


def load(home: Path, **environ: str) -> Settings:
    return load_settings({"CRM_HOME": str(home), **environ})


def command(code: str) -> str:
    """A command that runs this Python code."""
    return shlex.join([sys.executable, "-c", code])


def text_of(settings: Settings, name: str = NAME) -> str | None:
    found = secret(settings, name)
    return found.get_secret_value() if found else None


def refusal(settings: Settings, name: str = NAME) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        secret(settings, name)
    return refused.value


# Where a secret is.


def test_a_secret_is_the_variables_own_text(home: Path) -> None:
    assert text_of(load(home, CRM_TD_A668_PASSWORD=" hunter2 #")) == " hunter2 #"


@pytest.mark.parametrize("written", ["hunter 2", "hunter 2\n", "hunter 2\r\n", "hunter 2\n\n"])
def test_a_secret_is_the_files_line_without_its_end(home: Path, written: str) -> None:
    (home / "secrets").mkdir()
    (home / "secrets" / "a668").write_bytes(written.encode())
    assert text_of(load(home, CRM_TD_A668_PASSWORD_FILE="secrets/a668")) == "hunter 2"
    assert text_of(load(home, CRM_TD_A668_PASSWORD_FILE=str(home / "secrets" / "a668"))) == "hunter 2"


def test_a_secret_is_what_the_command_prints_run_at_home_without_input_and_shell(home: Path) -> None:
    (home / "vault").write_text("hünter 2", encoding="utf-8")
    code = "import sys; print(open('vault', encoding='utf-8').read() + sys.stdin.read() + sys.argv[1])"
    settings = load(home, CRM_TD_A668_PASSWORD_COMMAND=f"env PYTHONIOENCODING=utf-8 {command(code)} '$HOME; echo'")
    assert text_of(settings) == "hünter 2$HOME; echo"


def test_a_file_is_read_each_time_and_a_command_is_run_once(home: Path) -> None:
    (home / "file").write_text("first", encoding="utf-8")
    code = "import pathlib; runs = pathlib.Path('runs'); runs.open('a').write('.'); print(runs.read_text())"
    settings = load(home, CRM_TD_A668_USER_FILE="file", CRM_TD_A668_PASSWORD_COMMAND=command(code))
    assert (text_of(settings, "CRM_TD_A668_USER"), text_of(settings)) == ("first", ".")
    (home / "file").write_text("second", encoding="utf-8")
    assert (text_of(settings, "CRM_TD_A668_USER"), text_of(settings)) == ("second", ".")
    assert text_of(load(home, CRM_TD_A668_PASSWORD_COMMAND=command(code))) == "."


def test_a_command_that_failed_is_run_again(home: Path) -> None:
    code = "import pathlib, sys; sys.exit(3) if not pathlib.Path('unlocked').exists() else print('hunter2')"
    settings = load(home, CRM_TD_A668_PASSWORD_COMMAND=command(code))
    assert "exit code 3" in str(refusal(settings))
    (home / "unlocked").touch()
    assert text_of(settings) == "hunter2"


def test_a_secret_that_is_set_in_no_way_is_none(home: Path) -> None:
    assert secret(load(home), NAME) is None


# What is told, and what is never told.


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "nothing"),
        (b" \n", "nothing"),
        (b"asha\nhunter2\n", "2 lines"),
        (b"hunter2\xff", "characters that nobody can type"),
        (b"\xef\xbb\xbfhunter2", "characters that nobody can type"),
    ],
)
def test_what_is_no_line_of_text_is_refused_before_a_portal_sees_it(home: Path, content: bytes, found: str) -> None:
    (home / "file").write_bytes(content)
    expected = f"expected the secret as one line of UTF-8 text, found {found}"
    error = refusal(load(home, CRM_TD_A668_PASSWORD_FILE="file"))
    assert str(error) == f"CRM_TD_A668_PASSWORD_FILE: {expected}"
    error = refusal(load(home, CRM_TD_A668_PASSWORD_COMMAND="cat file"))
    assert str(error) == f"CRM_TD_A668_PASSWORD_COMMAND: {expected}"


def test_a_file_that_cannot_be_read_is_told_by_its_variable_alone(home: Path) -> None:
    expected = "CRM_TD_A668_PASSWORD_FILE: expected the path of a file with the secret in it, found: "
    error = refusal(load(home, CRM_TD_A668_PASSWORD_FILE="hunter2"))
    assert str(error) == f"{expected}{os.strerror(2)}"
    (home / "hunter2").mkdir()
    assert str(refusal(load(home, CRM_TD_A668_PASSWORD_FILE="hunter2"))) == f"{expected}{os.strerror(21)}"
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("hunter2", f"that it does not start: {os.strerror(2)}"),
        (command("print('hunter2'); raise SystemExit('hunter2')"), "exit code 1"),
        (command("import os; print('hunter2', flush=True); os.kill(os.getpid(), 9)"), "exit code -9"),
    ],
)
def test_a_command_that_fails_is_told_by_its_variable_alone(home: Path, given: str, found: str) -> None:
    error = refusal(load(home, CRM_TD_A668_PASSWORD_COMMAND=given))
    assert str(error) == f"CRM_TD_A668_PASSWORD_COMMAND: expected the output of a command, found {found}"
    assert error.__context__ is None


@pytest.mark.parametrize("given", ["hunter2 'unclosed", "  "])
def test_a_command_that_is_none_is_told(home: Path, given: str) -> None:
    assert str(refusal(load(home, CRM_TD_A668_PASSWORD_COMMAND=given))) == (
        "CRM_TD_A668_PASSWORD_COMMAND: expected a command with its arguments, quotes closed, found none"
    )


def test_a_command_that_does_not_end_is_ended(home: Path) -> None:
    settings = load(
        home,
        CRM_TD_A668_PASSWORD_COMMAND=command(
            "import os, pathlib, signal; print('hunter2', flush=True); "
            "pathlib.Path('pid').write_text(str(os.getpid())); signal.pause()"
        ),
    )
    with pytest.raises(ConfigurationError) as refused:
        command_output(settings, "CRM_TD_A668_PASSWORD_COMMAND", seconds=3)
    assert str(refused.value) == (
        "CRM_TD_A668_PASSWORD_COMMAND: expected the output of a command, found none after 3 s; the command was ended"
    )
    assert refused.value.__context__ is None
    with pytest.raises(ProcessLookupError):
        os.kill(int((home / "pid").read_text(encoding="utf-8")), 0)


# What is made of them.


def test_a_login_is_user_and_password_and_does_not_show_itself(home: Path) -> None:
    (home / "password").write_text("hunter2\n", encoding="utf-8")
    settings = load(home, CRM_UC_SECTOR56_USER="asha@uclean.example", CRM_UC_SECTOR56_PASSWORD_FILE="password")
    store = settings.store("uc", "sector56")
    login = credentials(settings, store)
    assert isinstance(login, Credentials)
    assert (login.user, login.password.get_secret_value()) == ("asha@uclean.example", "hunter2")
    assert "hunter2" not in repr(login)
    assert credentials(settings, settings.store("td", "a668")) is None


def test_whether_there_is_a_login_is_known_without_reading_it(home: Path) -> None:
    run = command("import pathlib; pathlib.Path('ran').touch()")
    settings = load(
        home, CRM_TD_A668_USER_FILE="nowhere", CRM_TD_A668_PASSWORD_COMMAND=run, CRM_TD_A817_USER_COMMAND=run
    )
    one, half = settings.stores("td")
    assert (has_login(settings, one), has_login(settings, half)) == (True, False)
    assert credentials(settings, half) is None
    assert not (home / "ran").exists()


def test_a_name_of_a_secret_is_in_capitals(home: Path) -> None:
    assert secret_name(load(home).store("td", "a668"), "USER") == "CRM_TD_A668_USER"


def test_values_to_strike_out_are_those_known_without_running_anything(home: Path) -> None:
    settings = load(
        home,
        CRM_TD_A668_USER="asha",
        CRM_TD_A668_PASSWORD_COMMAND=command("print('hunter2')"),
        CRM_TD_A817_USER_FILE="nowhere",
    )
    one, other = settings.stores("td")
    assert secret_values(settings, one) == ("asha",)
    assert credentials(settings, one)
    assert secret_values(settings, one) == ("asha", "hunter2")
    assert secret_values(settings, other) == ()


def test_keys_of_the_sessions_are_parted_by_commas(home: Path) -> None:
    (home / "keys").write_text("new+/=, old\n", encoding="utf-8")
    assert profile_keys(load(home, CRM_PROFILE_KEY_FILE="keys")) == ("new+/=", "old")
    assert profile_keys(load(home, CRM_PROFILE_KEY="only,")) == ("only",)
    assert profile_keys(load(home)) == ()
