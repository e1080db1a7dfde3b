"""The fingerprint: kept with its session, shown to the portal, compared before it is relied on."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from crm_assets.browser.fingerprint import Fingerprint, own_user_agent
from crm_assets_tests.browser.test_storage import chromium, serving

MAC_USER_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
MAC = Fingerprint(
    browser="chrome", version="141.0.7390.55", headless=False, platform="darwin", user_agent=MAC_USER_AGENT
)
LINUX = replace(MAC, browser="chromium", version="142.0.1.2", headless=True, platform="linux", user_agent="Mozilla/5.0")


def test_a_fingerprint_survives_its_file() -> None:
    for each in (MAC, LINUX, replace(MAC, locale="hi-IN", timezone_id="UTC", viewport=(1920, 1080))):
        assert Fingerprint.from_json(json.loads(json.dumps(each.as_json()))) == each


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "chrome",
        {},
        MAC.as_json() | {"headless": "no"},
        MAC.as_json() | {"version": 141},
        MAC.as_json() | {"viewport": [1366]},
        MAC.as_json() | {"viewport": [1366, 0]},
        MAC.as_json() | {"viewport": ["1366", "900"]},
        MAC.as_json() | {"user_agent": None},
        MAC.as_json() | {"user_agent": "\ud800"},
        {name: value for name, value in MAC.as_json().items() if name != "platform"},
    ],
)
def test_a_malformed_fingerprint_is_none(value: object) -> None:
    assert Fingerprint.from_json(value) is None


def test_what_a_later_version_adds_is_passed_over() -> None:
    assert Fingerprint.from_json(MAC.as_json() | {"fonts": 12}) == MAC


def test_another_browser_is_told_in_one_phrase() -> None:
    assert MAC.differences(LINUX) == ["made by headed chrome 141 on darwin, now headless chromium 142 on linux"]


@pytest.mark.parametrize(
    "noticed", [{"browser": "chromium"}, {"version": "142.0.7390.55"}, {"headless": True}, {"platform": "linux"}]
)
def test_each_thing_a_portal_could_notice_is_a_difference(noticed: dict[str, Any]) -> None:
    assert len(MAC.differences(replace(MAC, **noticed))) == 1


@pytest.mark.parametrize("unnoticed", [{}, {"version": "141.0.1.1"}, {"user_agent": "other"}, {"viewport": (1, 1)}])
def test_what_no_portal_notices_or_the_context_pins_is_none(unnoticed: dict[str, Any]) -> None:
    assert MAC.differences(replace(MAC, **unnoticed)) == []


def test_headless_says_the_same_as_headed() -> None:
    assert own_user_agent(MAC_USER_AGENT.replace("Chrome/", "HeadlessChrome/")) == MAC_USER_AGENT
    assert own_user_agent(MAC_USER_AGENT) == MAC_USER_AGENT


def test_a_session_made_on_a_mac_looks_like_a_mac_on_linux() -> None:
    async def look(address: str) -> Any:
        async with chromium() as browser:
            page = await (await browser.new_context(**MAC.context_options())).new_page()
            await page.goto(address)
            return await page.evaluate(
                "[navigator.userAgent, navigator.language, Intl.DateTimeFormat().resolvedOptions().timeZone,"
                " innerWidth, innerHeight]"
            )

    with serving() as site:
        user_agent, language, zone, *viewport = asyncio.run(look(site.origin))
    assert user_agent == MAC_USER_AGENT
    assert language == "en-IN"
    assert zone in ("Asia/Kolkata", "Asia/Calcutta")
    assert viewport == [1366, 900]
    assert site.asked["user-agent"] == [MAC_USER_AGENT]
