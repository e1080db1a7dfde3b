"""Signing in to TumbleDry. A stored session is almost never reusable there: probing and logging in again is the normal way.

Every ending is waited for at once, then asked which one it was; the *final* address decides, because the page may bounce back to
``/Login`` after it looked like home. A notice is passed, an OTP answered where someone can, and then the next ending awaited.
"""

from enum import Enum, auto
from typing import TYPE_CHECKING

from crm_assets.errors import (
    AccountLocked,
    LoginRejected,
    OtpRequired,
    OverdueOrders,
    PortalChanged,
    SessionDropped,
)
from crm_assets.otp import Challenge, parse_expiry
from crm_assets.portals.contract import SecondFactor
from crm_assets.portals.tumbledry.pages import (
    HOME_ADDRESS,
    LICENCE_ADDRESS,
    LOCKED,
    LOGIN_ADDRESS,
    OTP_ADDRESS,
    AnyPage,
    HomePage,
    LicencePage,
    LoginPage,
    OtpPage,
)
from crm_assets.portals.visit import Visit

if TYPE_CHECKING:
    from crm_assets.credentials import Credentials

MOST_PAGES = 8  # between the login form and home; more of them lead in circles


class Ending(Enum):
    """What the way from the login form, or from a saved session, came to."""

    HOME = auto()
    FORM = auto()
    REFUSED = auto()
    LICENCE = auto()
    OTP = auto()


async def signed_in(visit: Visit) -> bool:
    """Does the session open home? A dead one answers 200 at ``/Login`` with the form visible. Raises OverdueOrders."""
    visit.step("probe the session")
    await visit.goto(visit.site.home(visit.store.code))
    ending = await _ending(visit)
    if ending is Ending.LICENCE:
        ending = await _pay_later(visit)
    return ending is Ending.HOME


async def open_login(visit: Visit, credentials: "Credentials | None") -> None:
    """Show the login form with the store code, and user and password where they are known."""
    visit.step("open the login page")
    form = LoginPage(visit.page)
    await visit.goto(visit.site.login(visit.store.code))
    visit.refuse_other_hosts()
    await form.store_code.fill(visit.store.code.upper())
    if credentials:
        await form.user.fill(credentials.user)
        await form.password.fill(credentials.password.get_secret_value())
    else:
        await form.user.focus()


async def sign_in(visit: Visit, credentials: "Credentials", second_factor: SecondFactor | None) -> None:
    """Log in once. Raises LoginRejected, AccountLocked or OtpRequired, which nobody may retry unattended; SessionDropped when the
    page bounces back, and OverdueOrders when the store must act first.
    """
    await open_login(visit, credentials)
    visit.step("sign in")
    ending = await _submitted(visit)
    codes_tried = 0
    for _ in range(MOST_PAGES):
        match ending:
            case Ending.HOME:
                return
            case Ending.LICENCE:
                ending = await _pay_later(visit)
            case Ending.OTP if second_factor and codes_tried < second_factor.tries:
                codes_tried += 1
                ending = await _answer(visit, second_factor)
            case Ending.OTP:
                raise OtpRequired(_otp_told(visit, codes_tried))
            case Ending.FORM | Ending.REFUSED:
                raise await _refused(visit, codes_tried)
    raise PortalChanged(f"{visit.store}: expected home after the login, found {visit.address} again and again")


async def arrived(visit: Visit, seconds: float) -> None:
    """Wait until a person has signed in and home is there, whatever pages come between. Raises OverdueOrders."""
    visit.step("wait for the person to sign in")
    home = HomePage(visit.page)
    await home.report_link.or_(home.overdue_orders).filter(visible=True).first.wait_for(timeout=seconds * 1000)
    await visit.settle()
    if not await holds_session(visit):
        raise SessionDropped(
            f"{visit.store}: home was there and went back to {visit.address}. Run again: {visit.bootstrap()}"
        )
    await refuse_overdue(visit)


async def holds_session(visit: Visit) -> bool:
    """Is the page one behind the login?"""
    return "/App/" in visit.address and not OTP_ADDRESS.search(visit.address)


async def refuse_overdue(visit: Visit) -> None:
    """Raise OverdueOrders while the popup stands before the page: only the store may clear it, and nobody forces it."""
    if await HomePage(visit.page).overdue_orders.is_visible():
        raise OverdueOrders(
            f"{visit.store}: TumbleDry shows the store's overdue orders and lets nobody pass. "
            "Someone at the store must clear them; the next run looks again"
        )


async def _submitted(visit: Visit) -> Ending:
    """Press Login once and see where it leads. A form that stays although the portal answered is a refusal without words."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    form = LoginPage(visit.page)
    await _leave(visit)
    async with visit.page.expect_request(
        lambda request: request.method == "POST" and visit.guard.allows(request.url)
    ) as sent:
        await form.submit.click()
    try:
        return await _ending(visit)
    except WaitedTooLong:
        answered = await (await sent.value).response()
        if answered and answered.status < 500 and await form.user.is_visible():
            return Ending.FORM
        raise


async def _pay_later(visit: Visit) -> Ending:
    visit.step("pass the licence notice")
    await _leave(visit)
    await LicencePage(visit.page).pay_later.click()
    return await _ending(visit)


async def _answer(visit: Visit, second_factor: SecondFactor) -> Ending:
    """Hand over one code, typed as a person types it: some pages have a box for each digit."""
    visit.step("answer the one-time password")
    page = OtpPage(visit.page)
    texts = [" ".join(text.split()) for text in await page.words.all_inner_texts()]
    text = " ".join(text for text in texts if " " in text)  # a label alone says nothing
    challenge = Challenge(store=visit.store, text=text, expires_in=parse_expiry(text), asked_at=visit.now())
    code = await second_factor.answer(challenge)
    visit.secrets.append(code)
    field = page.one_time_field if await page.one_time_field.is_visible() else page.only_field
    await field.click()
    await field.fill("")
    await visit.page.keyboard.type(code)
    if await page.trust.is_visible():
        await page.trust.check()
    await _leave(visit)
    if await page.submit.is_visible():
        await page.submit.click()
    else:
        await visit.page.keyboard.press("Enter")
    return await _ending(visit)


async def _leave(visit: Visit) -> None:
    """Mark the page that is about to be left, so that the next one is known from it."""
    await visit.page.evaluate(AnyPage.LEAVE)


async def _ending(visit: Visit) -> Ending:
    """Wait until another page is there, or this one refuses, and say which ending it is."""
    form, home = LoginPage(visit.page), HomePage(visit.page)
    await AnyPage(visit.page).another.or_(form.refusal).first.wait_for()
    await visit.settle()
    if OTP_ADDRESS.search(visit.address) or await OtpPage(visit.page).one_time_field.is_visible():
        return Ending.OTP
    if LICENCE_ADDRESS.search(visit.address):
        return Ending.LICENCE
    if await form.refusal.first.is_visible() and LOGIN_ADDRESS.search(visit.address):
        return Ending.REFUSED
    await home.report_link.or_(home.overdue_orders).or_(form.user).filter(visible=True).first.wait_for()
    await refuse_overdue(visit)
    at_home = HOME_ADDRESS.search(visit.address) and not LOGIN_ADDRESS.search(visit.address)
    return Ending.HOME if at_home and await home.report_link.is_visible() else Ending.FORM


async def _refused(visit: Visit, codes_tried: int) -> Exception:
    """Why the login form is what is left: a server error, a session that was dropped at once, a lock, wrong codes or words."""
    visit.refuse_noticed_error()
    if await LoginPage(visit.page).locked.first.is_visible() or LOCKED.search(visit.dialog or ""):
        return AccountLocked(
            f"{visit.store}: the portal has locked the account. Have it unlocked, then run: {visit.bootstrap()}"
        )
    if visit.was_at(HOME_ADDRESS):
        return SessionDropped(
            f"{visit.store}: signed in, and sent back to the login page at once. The next run tries again"
        )
    if codes_tried:
        return OtpRequired(_otp_told(visit, codes_tried))
    return LoginRejected(
        f"{visit.store}: the portal refused the user, the password or the store code. Mend them and run: {visit.bootstrap()}"
    )


def _otp_told(visit: Visit, codes_tried: int) -> str:
    if codes_tried:
        return f"{visit.store}: the portal refused the one-time password. Run: {visit.bootstrap()}"
    return f"{visit.store}: signed out and an OTP is asked for. Run: {visit.bootstrap()}"
