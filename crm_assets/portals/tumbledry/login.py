"""Signing in to TumbleDry. A stored session is almost never reusable there: probing and logging in again is the normal way.

Every ending is waited for at once, then asked which one it was; the *final* address decides, because the page may bounce back to
``/Login`` after it looked like home.
"""

from typing import TYPE_CHECKING

from crm_assets.errors import LoginRejected, OtpRequired, PortalChanged
from crm_assets.portals.contract import Visit
from crm_assets.portals.tumbledry.pages import HOME_ADDRESS, LOGIN_ADDRESS, HomePage, LoginPage, OtpPage

if TYPE_CHECKING:
    from crm_assets.settings import Credentials


async def signed_in(visit: Visit) -> bool:
    """Does the session open home? A dead one answers 200 at ``/Login`` with the form visible."""
    visit.step("probe the session")
    home, form = HomePage(visit.page), LoginPage(visit.page)
    await visit.goto(visit.site.home(visit.store.code))
    await home.report_link.or_(form.user).first.wait_for()
    return await _is_home(visit)


async def open_login(visit: Visit, credentials: "Credentials | None") -> None:
    """Show the login form with the store code, and user and password where they are known."""
    visit.step("open the login page")
    form = LoginPage(visit.page)
    await visit.goto(visit.site.login(visit.store.code))
    await form.store_code.fill(visit.store.code.upper())
    if credentials:
        await form.user.fill(credentials.user)
        await form.password.fill(credentials.password.get_secret_value())


async def sign_in(visit: Visit, credentials: "Credentials") -> None:
    """Log in once. Raises OtpRequired or LoginRejected, which nobody may retry unattended."""
    await open_login(visit, credentials)
    visit.step("sign in")
    page, form, home, otp = visit.page, LoginPage(visit.page), HomePage(visit.page), OtpPage(visit.page)
    await form.submit.click()
    await home.report_link.or_(otp.code).or_(form.refusal).first.wait_for()
    if OtpPage.ADDRESS.search(page.url) or await otp.code.is_visible():
        raise OtpRequired(f"{visit.store}: signed out, and an OTP is asked for. Run: {_bootstrap(visit)}")
    if await form.refusal.is_visible():
        visit.refuse_noticed_error()
        raise LoginRejected(
            f"{visit.store}: the portal refused the user, the password or the store code. Mend them and run: {_bootstrap(visit)}"
        )
    if not await _is_home(visit):
        raise PortalChanged(f"{visit.store}: expected home after the login, found {page.url.split('?')[0]}")


async def arrived(visit: Visit, seconds: int) -> None:
    """Wait until a person has signed in and home is there."""
    visit.step("wait for the person to sign in")
    await HomePage(visit.page).report_link.wait_for(timeout=seconds * 1000)


async def _is_home(visit: Visit) -> bool:
    await visit.page.wait_for_load_state("domcontentloaded")
    address = visit.page.url
    at_home = bool(HOME_ADDRESS.search(address)) and not LOGIN_ADDRESS.search(address)
    return at_home and await HomePage(visit.page).report_link.is_visible()


def _bootstrap(visit: Visit) -> str:
    return f"crm_download bootstrap --crm {visit.store.crm} --store {visit.store.code}"
