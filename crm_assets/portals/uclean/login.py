"""Signing in to UClean. A session is a token in localStorage; it is good when the panel stays open and the API accepts it."""

from typing import TYPE_CHECKING

from crm_assets.errors import LoginRejected, PortalChanged
from crm_assets.portals.contract import Visit
from crm_assets.portals.uclean.pages import LoginPage, Shell

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from crm_assets.settings import Credentials


async def signed_in(visit: Visit) -> bool:
    """Does the panel open without its login form, and does one cheap API call answer 200?"""
    visit.step("probe the session")
    await visit.goto(visit.site.panel + visit.site.home_path)
    form, shell = LoginPage(visit.page), Shell(visit.page)
    await shell.navigation.or_(form.email).first.wait_for()
    return await shell.navigation.is_visible() and await _api_accepts(visit)


async def open_login(visit: Visit, credentials: "Credentials | None") -> None:
    """Show the login form, filled with what is known."""
    visit.step("open the login page")
    form = LoginPage(visit.page)
    await visit.goto(visit.site.panel + visit.site.login_path)
    await form.email.wait_for()
    if credentials:
        await _type(form.email, credentials.user)
        await _type(form.password, credentials.password.get_secret_value())


async def sign_in(visit: Visit, credentials: "Credentials") -> None:
    """Log in once. Raises LoginRejected, which nobody may retry unattended."""
    await open_login(visit, credentials)
    visit.step("sign in")
    form, shell = LoginPage(visit.page), Shell(visit.page)
    if await form.email.input_value() != credentials.user:
        raise PortalChanged(f"{visit.store}: the login form did not keep what was typed into it")
    await form.submit.click()
    await shell.navigation.or_(form.refusal).first.wait_for()
    if await form.refusal.is_visible():
        visit.refuse_noticed_error()  # the form shows a gateway's error in the same place as a wrong password
        raise LoginRejected(
            f"{visit.store}: the portal refused the user or the password. "
            f"Mend them and run: crm_download bootstrap --crm {visit.store.crm} --store {visit.store.code}"
        )
    if not await _api_accepts(visit):
        raise PortalChanged(f"{visit.store}: signed in, yet the API does not accept the session's token")


async def arrived(visit: Visit, seconds: int) -> None:
    """Wait until a person has signed in and the panel is there."""
    visit.step("wait for the person to sign in")
    await Shell(visit.page).navigation.wait_for(timeout=seconds * 1000)


async def token_of(visit: Visit) -> str:
    """The session's bearer token, empty when there is none."""
    token = await visit.page.evaluate("key => localStorage.getItem(key)", visit.site.token_key)
    return str(token or "")


async def _api_accepts(visit: Visit) -> bool:
    token = await token_of(visit)
    if not token:
        return False
    url = visit.site.api + visit.site.probe_path
    answer = await visit.context.request.get(url, headers={"Authorization": f"Bearer {token}"})
    visit.refuse_server_error(answer.status, url)
    return answer.ok


async def _type(field: "Locator", text: str) -> None:
    """Angular takes a value only from real key events."""
    await field.fill("")
    await field.press_sequentially(text)
