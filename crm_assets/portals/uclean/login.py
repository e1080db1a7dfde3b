"""Signing in to UClean. A session is a token in localStorage; it is good when the panel stays open and the API accepts it.

localStorage is per origin: when the panel moves to another host, every saved session is gone with it and the login comes anew.
"""

import json
from typing import TYPE_CHECKING

from crm_assets.errors import (
    AccountLocked,
    LoginRejected,
    OtpRequired,
    PortalChanged,
    PortalUnavailable,
)
from crm_assets.model import business_day
from crm_assets.portals.contract import SecondFactor
from crm_assets.portals.uclean.pages import CODE_WORDS, LOGIN_ADDRESS, LoginPage, Shell
from crm_assets.portals.visit import LOCKED, LOCKED_STATUS, TOO_OFTEN, Visit, words_of

if TYPE_CHECKING:
    from playwright.async_api import Locator, Response

    from crm_assets.credentials import Credentials

TOKEN = """keys => (keys.map(key => localStorage.getItem(key) ?? sessionStorage.getItem(key)).find(Boolean) ?? '')
    .replace(/^"|"$/g, '')"""  # noqa: S105 - a script
FORGET = "keys => keys.forEach(key => { localStorage.removeItem(key); sessionStorage.removeItem(key) })"
TYPED_TIMES = 3


async def signed_in(visit: Visit) -> bool:
    """Does the panel open without its login form, and does one cheap API call answer 200?"""
    visit.step("probe the session")
    await visit.goto(visit.site.panel + visit.site.home_path)
    form, shell = LoginPage(visit.page), Shell(visit.page)
    await shell.navigation.or_(form.email).filter(visible=True).first.wait_for()
    return await holds_session(visit) and await _api_accepts(visit)


async def open_login(visit: Visit, credentials: "Credentials | None") -> None:
    """Show the login form, filled with what is known."""
    visit.step("open the login page")
    form = LoginPage(visit.page)
    if visit.address.startswith("http"):
        await visit.page.evaluate(FORGET, _token_keys(visit))  # with a token, be it a dead one, the panel shows no form
    await visit.goto(visit.site.panel + visit.site.login_path)
    visit.refuse_other_hosts()
    await form.email.wait_for()
    if credentials:
        await _type(form.email, credentials.user)
        await _type(form.password, credentials.password.get_secret_value())
    else:
        await form.email.focus()


async def sign_in(visit: Visit, credentials: "Credentials", second_factor: SecondFactor | None) -> None:
    """Log in once. Raises LoginRejected or AccountLocked, which nobody may retry unattended. No one-time password was ever asked
    for here: if one is, OtpRequired is raised and a person signs in, in the browser's window.
    """
    await open_login(visit, credentials)
    visit.step("sign in")
    form = LoginPage(visit.page)
    typed = await form.email.input_value(), await form.password.input_value()
    if typed != (credentials.user, credentials.password.get_secret_value()):
        raise PortalChanged(f"{visit.store}: the login form did not keep what was typed into it")
    async with visit.page.expect_response(lambda response: _is_login_call(visit, response)) as answered:
        await form.submit.click()
    await _refuse_refusal(visit, await answered.value)
    await _let_in(visit)
    if await form.one_time_code.first.is_visible():
        raise _otp_required(visit)
    await visit.settle()
    if not await _api_accepts(visit):
        raise PortalChanged(f"{visit.store}: signed in, yet the API does not accept the session's token")


async def arrived(visit: Visit, seconds: float) -> None:
    """Wait until a person has signed in and the panel is there."""
    visit.step("wait for the person to sign in")
    await visit.page.wait_for_function(TOKEN, arg=_token_keys(visit), timeout=seconds * 1000)
    await Shell(visit.page).without_form.wait_for()
    await visit.settle()
    if not await _api_accepts(visit):
        raise PortalChanged(f"{visit.store}: signed in, yet the API does not accept the session's token")


async def holds_session(visit: Visit) -> bool:
    """Is the page one behind the login, with a token in its storage?"""
    form, shell = LoginPage(visit.page), Shell(visit.page)
    behind = await shell.navigation.is_visible() and not await form.password.is_visible()
    return behind and not LOGIN_ADDRESS.search(visit.address) and bool(await token_of(visit))


async def token_of(visit: Visit) -> str:
    """The session's bearer token, empty when there is none."""
    token = str(await _read_token(visit))
    if token and token not in visit.secrets:
        visit.secrets.append(token)
    return token


async def _read_token(visit: Visit) -> object:
    """Once more where the page left under the question: the panel goes to its login page by itself when a token is dead."""
    from playwright.async_api import Error

    try:
        return await visit.page.evaluate(TOKEN, _token_keys(visit))
    except Error:
        await visit.page.wait_for_load_state("domcontentloaded")
        return await visit.page.evaluate(TOKEN, _token_keys(visit))


def _token_keys(visit: Visit) -> list[str]:
    return [visit.site.token_key, *visit.site.other_token_keys]


async def _api_accepts(visit: Visit) -> bool:
    """Does a cheap call answer 200? Raises PortalChanged when it answers neither that nor a refusal of the token."""
    token = await token_of(visit)
    if not token:
        return False
    today = business_day(visit.clock)
    url = (
        f"{visit.site.api}{visit.site.probe_path}&{visit.site.from_parameter}={today}&{visit.site.to_parameter}={today}"
    )
    answer = await visit.fetch("GET", url, headers={"Authorization": f"Bearer {token}"})
    if answer.status not in (200, 401, 403):
        raise PortalChanged(f"{visit.store}: expected 200 or 401 from {url.split('?')[0]}, found {answer.status}")
    return answer.ok


def _is_login_call(visit: Visit, response: "Response") -> bool:
    return response.request.method == "POST" and visit.site.login_call_path in response.url


async def _refuse_refusal(visit: Visit, answer: "Response") -> None:
    """What the login call's answer means, whatever the form makes of it."""
    visit.refuse_server_error(answer.status, answer.url)
    if answer.status == TOO_OFTEN:
        raise PortalUnavailable(
            f"{visit.store}: the portal asks to wait before the next login ({TOO_OFTEN}). Try again later"
        )
    words = await words_of(answer)
    if answer.ok and (not words or _has_token(words)):
        return
    if answer.ok and CODE_WORDS.search(words):
        raise _otp_required(visit)
    raise _rejected(visit, answer.status, words)  # some portals refuse politely, with a 200


def _has_token(words: str) -> bool:
    """Is there a token in the answer, wherever it stands?"""

    def found_in(value: object) -> bool:
        if isinstance(value, dict):
            return any(
                ("token" in name.lower() and part and isinstance(part, str)) or found_in(part)
                for name, part in value.items()
            )
        return isinstance(value, list) and any(map(found_in, value))

    try:
        return found_in(json.loads(words))
    except ValueError:
        return False


async def _let_in(visit: Visit) -> None:
    """Wait for the panel, or the question for a code. A form that stays and has stored no token was refused."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    form, shell = LoginPage(visit.page), Shell(visit.page)
    try:
        await shell.without_form.or_(form.one_time_code).first.wait_for()
    except WaitedTooLong:
        if await form.password.is_visible() and not await token_of(visit):
            raise _rejected(visit) from None
        raise


def _otp_required(visit: Visit) -> OtpRequired:
    return OtpRequired(f"{visit.store}: signed out and an OTP is asked for. Run: {visit.store.bootstrap_command}")


def _rejected(visit: Visit, status: int = 200, words: str = "") -> LoginRejected | AccountLocked:
    if status == LOCKED_STATUS or LOCKED.search(words):
        return AccountLocked(
            f"{visit.store}: the portal has locked the account. Have it unlocked, then run: {visit.store.bootstrap_command}"
        )
    return LoginRejected(
        f"{visit.store}: the portal refused the user or the password. Mend them and run: {visit.store.bootstrap_command}"
    )


async def _type(field: "Locator", text: str) -> None:
    """Angular takes a value only from real key events, and some forms lose the first ones, or open when a field is left."""
    for _ in range(TYPED_TIMES):
        await field.fill("")
        await field.press_sequentially(text)
        if await field.input_value() == text:
            break
    await field.blur()
