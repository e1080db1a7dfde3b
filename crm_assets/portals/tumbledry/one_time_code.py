"""TumbleDry's page for a one-time password: what it asks, and handing over a code, once.

Who answers belongs to ``crm_assets.otp``, what comes after it to ``login.py``.
"""

from typing import TYPE_CHECKING

from crm_assets.otp import Challenge, parse_expiry
from crm_assets.portals.contract import SecondFactor
from crm_assets.portals.tumbledry.pages import OtpPage
from crm_assets.portals.visit import Visit

if TYPE_CHECKING:
    from playwright.async_api import Locator

SELF_SENT_MILLISECONDS = 500


async def asked_code(visit: Visit, second_factor: SecondFactor) -> str:
    """The code, from whoever answers; it shows in no evidence."""
    code = await second_factor.answer(await _challenge(visit, OtpPage(visit.page)))
    visit.secrets.append(code)
    return code


async def hand_over(visit: Visit, code: str) -> None:
    """Type a code and send it. A page that sends it by itself when it is complete needs no button."""
    page = OtpPage(visit.page)
    if await page.trust.is_visible():
        await page.trust.check()
    visit.posts.clear()
    await _type(visit, page, code)
    if not await _sends_itself(visit):
        await (page.submit.click() if await page.submit.is_visible() else visit.page.keyboard.press("Enter"))


async def _challenge(visit: Visit, page: OtpPage) -> Challenge:
    """What the page says, and how long it says its code is good."""

    async def told(words: "Locator") -> list[str]:
        return [" ".join(text.split()) for text in await words.all_inner_texts()]

    text = " ".join(text for text in await told(page.words) if " " in text)  # a label alone says nothing
    expires_in = parse_expiry(text) or parse_expiry(" ".join(await told(page.expiry)))
    return Challenge(store=visit.store, text=text, expires_in=expires_in, asked_at=visit.now())


async def _type(visit: Visit, page: OtpPage, code: str) -> None:
    """Type a code as a person does, also where each digit has a box."""
    boxes = await page.boxes.all()
    if len(boxes) == len(code):
        for box, digit in zip(boxes, code, strict=True):
            await box.fill("")
            await box.press(digit)
        return
    field = next(filter(None, [each if await each.is_visible() else None for each in page.fields]), page.fields[-1])
    await field.click()
    await field.fill("")
    await visit.page.keyboard.type(code)


async def _sends_itself(visit: Visit) -> bool:
    """Has the page sent the code as soon as it was complete?"""
    from playwright.async_api import TimeoutError as WaitedTooLong

    try:
        if not visit.posts:
            await visit.page.wait_for_event(
                "request", lambda request: request in visit.posts, timeout=SELF_SENT_MILLISECONDS
            )
    except WaitedTooLong:
        return False
    return True
