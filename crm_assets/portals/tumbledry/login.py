"""Signing in to TumbleDry. A stored session is almost never reusable there: probing and logging in again is the normal way.

Every ending is waited for at once, then asked which one it was; the *final* address decides, because the page may bounce back to
``/Login`` after it looked like home. A notice is passed, an OTP answered where someone can, and then the next ending awaited.
"""

from enum import Enum, auto
from typing import TYPE_CHECKING

from crm_assets.errors import (
    AccountLocked,
    CrmError,
    LoginRejected,
    OtpRequired,
    PortalChanged,
    PortalUnavailable,
    SessionDropped,
)
from crm_assets.portals.contract import SecondFactor
from crm_assets.portals.tumbledry.notices import close_notices, notices_closed, refuse_overdue
from crm_assets.portals.tumbledry.one_time_code import asked_code, hand_over
from crm_assets.portals.tumbledry.pages import (
    HOME_ADDRESS,
    LICENCE_ADDRESS,
    LOGIN_ADDRESS,
    OTP_ADDRESS,
    AnyPage,
    HomePage,
    LicencePage,
    LoginPage,
    OtpPage,
)
from crm_assets.portals.visit import LOCKED, LOCKED_STATUS, TOO_OFTEN, Visit, words_of

if TYPE_CHECKING:
    from crm_assets.credentials import Credentials

MOST_PAGES = 8  # between the login form and home; more of them lead in circles


class Ending(Enum):
    """What the way from the login form, or from a saved session, came to."""

    HOME = auto()
    FORM = auto()
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
    """Show the login form with the store code, and user and password where they are known.

    The form to which a dead session leads is the same one.
    """
    visit.step("open the login page")
    form = LoginPage(visit.page)
    if not (LOGIN_ADDRESS.search(visit.address) and await form.user.is_visible()):
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
    warnings = await LoginPage(visit.page).locked.all_inner_texts()
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
            case Ending.FORM:
                raise await _refused(visit, codes_tried, warnings)
    raise _in_circles(visit)


async def arrived(visit: Visit, seconds: float) -> None:
    """Wait until a person has signed in and home is there, whatever pages come between. Raises OverdueOrders."""
    visit.step("wait for the person to sign in")
    home = HomePage(visit.page)
    await home.report_link.or_(home.overdue_orders).filter(visible=True).first.wait_for(timeout=seconds * 1000)
    await visit.settle()
    if not await holds_session(visit):
        raise SessionDropped(
            f"{visit.store}: home was there and went back to {visit.address}. Run again: {visit.store.bootstrap_command}"
        )
    await refuse_overdue(visit)


async def holds_session(visit: Visit) -> bool:
    """Is the page one behind the login?"""
    behind = "/App/" in visit.address and not OTP_ADDRESS.search(visit.address)
    return behind and not await LoginPage(visit.page).user.is_visible()


async def _submitted(visit: Visit) -> Ending:
    """Press Login once and see where it leads."""
    await _leave(visit)
    async with notices_closed(visit):
        await LoginPage(visit.page).submit.click()
    return await _ending(visit)


async def _pay_later(visit: Visit) -> Ending:
    visit.step("pass the licence notice")
    await _leave(visit)
    await LicencePage(visit.page).pay_later.click()
    return await _ending(visit)


async def _answer(visit: Visit, second_factor: SecondFactor) -> Ending:
    visit.step("answer the one-time password")
    code = await asked_code(visit, second_factor)
    await _leave(visit)
    await hand_over(visit, code)
    return await _ending(visit)


async def _leave(visit: Visit) -> None:
    """Mark the page that is about to be left, so that the next one is known from it."""
    await visit.page.evaluate(AnyPage.LEAVE)


async def _ending(visit: Visit) -> Ending:
    """Wait for another page, or for this one to refuse, and say which ending it is. A page that is none goes on by itself."""
    for _ in range(MOST_PAGES):
        ending = await _news(visit)
        if ending is Ending.HOME:
            ending = await _lasting(visit)
        if ending:
            return ending
        await _leave(visit)
    raise _in_circles(visit)


async def _news(visit: Visit) -> Ending | None:
    """Wait for something that was not there before. A form or a question that stays although the portal answered is refused."""
    from playwright.async_api import TimeoutError as WaitedTooLong

    form, home = LoginPage(visit.page), HomePage(visit.page)
    anything = (
        AnyPage(visit.page).another.or_(form.refusal).or_(form.anew).or_(home.report_link).or_(home.overdue_orders)
    )
    try:
        await anything.filter(visible=True).first.wait_for()
    except WaitedTooLong:
        if await _asks_for_code(visit):
            return Ending.OTP
        at_login = LOGIN_ADDRESS.search(visit.address) or await form.user.is_visible()
        if visit.answers_that_decide() and at_login:
            return Ending.FORM
        raise
    await visit.settle()
    return await _shown(visit)


async def _lasting(visit: Visit) -> Ending | None:
    """What home has become a moment later: it may go back to the form, or show what it had to look up first."""
    from playwright.async_api import TimeoutError as NothingCame

    form, home = LoginPage(visit.page), HomePage(visit.page)
    try:
        await form.anew.or_(home.overdue_orders).first.wait_for(timeout=visit.site.home_lasts_seconds * 1000)
    except NothingCame:
        await close_notices(visit)
    else:
        await visit.settle()
    return await _shown(visit)


async def _shown(visit: Visit) -> Ending | None:
    """Which ending the page at hand is, if it is one. Raises OverdueOrders."""
    form, home = LoginPage(visit.page), HomePage(visit.page)
    if await _asks_for_code(visit):
        return Ending.OTP
    if LICENCE_ADDRESS.search(visit.address):
        return Ending.LICENCE
    if await form.user.is_visible():
        refused = visit.answers_that_decide() and await form.refusal.first.is_visible()
        return Ending.FORM if refused or await form.anew.is_visible() else None
    await refuse_overdue(visit)
    at_home = HOME_ADDRESS.search(visit.address) and not LOGIN_ADDRESS.search(visit.address)
    return Ending.HOME if at_home and await home.report_link.is_visible() else None


async def _asks_for_code(visit: Visit) -> bool:
    return bool(OTP_ADDRESS.search(visit.address)) or await OtpPage(visit.page).one_time_field.is_visible()


async def _refused(visit: Visit, codes_tried: int, warnings: list[str]) -> CrmError:
    """Why the login form is what is left: a server error, a session that was dropped at once, a lock, wrong codes or words.

    ``warnings`` speak of locks too, and stood there before.
    """
    if await _is_locked(visit, warnings):
        return AccountLocked(
            f"{visit.store}: the portal has locked the account. Have it unlocked, then run: {visit.store.bootstrap_command}"
        )
    visit.refuse_noticed_error()
    if any(answer.status == TOO_OFTEN for answer in visit.answers_that_decide()):
        return PortalUnavailable(
            f"{visit.store}: the portal asks to wait before the next login ({TOO_OFTEN}). Try again later"
        )
    if visit.was_at(HOME_ADDRESS) and not await LoginPage(visit.page).wrong.first.is_visible():
        return SessionDropped(
            f"{visit.store}: signed in, and sent back to the login page at once. The next run tries again"
        )
    if codes_tried:
        return OtpRequired(_otp_told(visit, codes_tried))
    return LoginRejected(
        f"{visit.store}: the portal refused the user, the password or the store code. "
        f"Mend them and run: {visit.store.bootstrap_command}"
    )


async def _is_locked(visit: Visit, warnings: list[str]) -> bool:
    """Does the page say so, a message box, or the answer to the script that signs in?"""
    said = [text for text in await LoginPage(visit.page).locked.all_inner_texts() if text not in warnings]
    answers = [answer for answer in visit.answers_that_decide() if not answer.request.is_navigation_request()]
    said += [visit.dialog or "", *[await words_of(answer) for answer in answers]]
    return any(answer.status == LOCKED_STATUS for answer in answers) or any(map(LOCKED.search, said))


def _in_circles(visit: Visit) -> PortalChanged:
    return PortalChanged(f"{visit.store}: expected home after the login, found {visit.address} again and again")


def _otp_told(visit: Visit, codes_tried: int) -> str:
    if codes_tried:
        return f"{visit.store}: the portal refused the one-time password. Run: {visit.store.bootstrap_command}"
    return f"{visit.store}: signed out and an OTP is asked for. Run: {visit.store.bootstrap_command}"
