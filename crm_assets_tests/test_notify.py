"""Messages, as they arrive at a real mail server and a real webhook, and as they fail to."""

import html
import logging
import re
import threading
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from crm_assets.credentials import addresses
from crm_assets.errors import ConfigurationError
from crm_assets.notify import Message, Unanswered, Undelivered, deliver, readable
from crm_assets.settings import ALERT_URLS, PROJECT_ROOT, load_settings
from crm_assets_tests.postbox import PASSWORD, free_port, mail_server, mail_url, silent_server, webhook

OTP = Message(
    title="[crm_assets] OtpRequired: td/a668",
    body="td/a668: expected <a session> & found an OTP.\nRun: crm_download bootstrap --crm td --store a668\n\nKirti Nagar, 5 €",
    kind="failure",
)


def secrets(*urls: str) -> list[SecretStr]:
    return [SecretStr(url) for url in urls]


def test_a_message_is_mailed_as_it_was_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with mail_server() as post:
        assert deliver(secrets(post.url), OTP) == []
    [mail] = post.mails
    assert (mail["Subject"], mail["To"]) == (OTP.title, "asha@crm.example")
    assert "crm@crm.example" in mail["From"]
    assert post.texts == [OTP.body]
    assert post.logins == {("crm", PASSWORD)}
    assert PASSWORD not in caplog.text


def test_a_mail_in_html_shows_the_same_lines() -> None:
    with mail_server() as post:
        deliver(secrets(f"{post.url}&format=html"), OTP)
    part = post.mails[0].get_body(preferencelist=("html",))
    assert part is not None
    shown = html.unescape(re.sub(r"<br ?/?>", "\n", str(part.get_content()))).replace("\xa0", " ")
    assert [line for line in OTP.body.splitlines() if line not in shown] == []


@pytest.mark.parametrize(("kind", "told"), [("failure", "failure"), ("recovery", "success"), ("info", "info")])
def test_a_webhook_gets_subject_text_and_kind(kind: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with webhook() as hook:
        deliver(secrets(hook.url), Message(title=OTP.title, body=OTP.body, kind=kind))  # type: ignore[arg-type]
    [post] = hook.posts
    assert (post["title"], post["message"], post["type"]) == (OTP.title, OTP.body, told)
    assert PASSWORD not in caplog.text


def test_a_text_that_is_too_long_for_a_service_arrives_in_parts() -> None:
    lines = "\n".join(f"td/a{number}: signed out" for number in range(2000))
    with webhook() as hook:
        deliver(secrets(hook.url), Message(title="many", body=lines, kind="failure"))
    assert len(hook.posts) > 1
    assert "".join("".join(post["message"].split()) for post in hook.posts) == "".join(lines.split())


def test_every_address_gets_it() -> None:
    with mail_server() as post, webhook() as hook:
        deliver(secrets(post.url, hook.url), OTP)
    assert (post.subjects, hook.titles) == ([OTP.title], [OTP.title])


def test_an_address_that_fails_is_named_while_another_one_takes_it() -> None:
    with webhook() as hook:
        failed = deliver(secrets(mail_url(free_port()), hook.url), OTP)
    assert failed == ["the 1st address (mailto): it did not take the message"]
    assert hook.titles == [OTP.title]


def test_a_dead_server_and_a_refusing_one_are_told_by_position_and_schema_alone(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with webhook() as hook, pytest.raises(Undelivered) as failed:
        hook.status = 500
        deliver(secrets(mail_url(free_port()), hook.url), OTP)
    assert type(failed.value) is Undelivered
    assert str(failed.value) == (
        "the 1st address (mailto): it did not take the message; the 2nd address (json): it did not take the message"
    )
    assert failed.value.__cause__ is failed.value.__context__ is None
    assert PASSWORD not in caplog.text + "".join(capfd.readouterr())


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_told() -> None:
    began = time.monotonic()
    with silent_server() as silent, pytest.raises(Unanswered, match=r"^the 1st address \(mailto\): no answer in time$"):
        deliver(secrets(mail_url(silent.port)), OTP, 0.3)
    assert time.monotonic() - began < 3
    assert [thread for thread in threading.enumerate() if not thread.daemon] == [threading.main_thread()]


def test_nobody_to_tell_is_nobody_told() -> None:
    with pytest.raises(Undelivered, match="there is no address"):
        deliver([], OTP)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mial://u:Never-Shown@crm.example", "the 2nd address (mial): .* found the unknown schema 'mial'"),
        ("https://crm.example/Never-Shown", "the 2nd address (https): .* found the unknown schema 'https'"),
        ("slack://Never-Shown", "the 2nd address (slack): .* found one of 'slack' that it cannot read"),
        ("mailto://u:Never-Shown@crm", "the 2nd address (mailto): .* found one of 'mailto' that it cannot read"),
        ("Never-Shown@crm.example", "the 2nd address: .* found a text without a schema"),
        ("Never-Shown-and-much-too-long-for-one://crm.example", "the 2nd address: .* found a text without a schema"),
    ],
)
def test_an_address_that_apprise_cannot_read_is_told_by_position_and_schema_alone(
    url: str, found: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(
        ConfigurationError, match=f"^CRM_ALERT_URLS: {found.replace('(', '.').replace(')', '.')}$"
    ) as bad:
        readable(secrets("json://127.0.0.1", url))
    said = str(bad.value) + caplog.text + "".join(capfd.readouterr())
    assert "Never-Shown" not in said
    assert "expected an address as Apprise has them, such as mailtos://" in str(bad.value)


@pytest.mark.parametrize("way", ["", "_FILE", "_COMMAND"])
def test_addresses_are_given_like_any_secret_parted_by_white_space(way: str, tmp_path: Path) -> None:
    (tmp_path / "stores.yaml").write_bytes((PROJECT_ROOT / "stores.yaml").read_bytes())
    (tmp_path / "urls").write_text("  json://127.0.0.1/a  jsons://crm.example/b,c \n", encoding="utf-8")
    given = {"": (tmp_path / "urls").read_text(), "_FILE": "urls", "_COMMAND": "cat urls"}[way]
    settings = load_settings({"CRM_HOME": str(tmp_path), f"CRM_ALERT_URLS{way}": given})
    urls = addresses(settings, ALERT_URLS)
    assert [url.get_secret_value() for url in urls] == ["json://127.0.0.1/a", "jsons://crm.example/b,c"]
    assert "127.0.0.1" not in repr(urls)
    assert len(readable(urls)) == 2
    assert addresses(load_settings({"CRM_HOME": str(tmp_path)}), ALERT_URLS) == ()


def test_positions_are_counted_as_people_do() -> None:
    good = ["json://127.0.0.1"] * 20
    for number, position in {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 21: "21st"}.items():
        with pytest.raises(ConfigurationError, match=f"the {position} address"):
            readable(secrets(*good[: number - 1], "none"))
