"""What comes up over TumbleDry's pages by itself: notices, which are closed, and the store's overdue orders, which are not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crm_assets.errors import OverdueOrders
from crm_assets.portals.tumbledry.pages import HomePage
from crm_assets.portals.visit import Visit

MOST_NOTICES = 8
NOTICE_MILLISECONDS = 1000


async def refuse_overdue(visit: Visit) -> None:
    """Raise OverdueOrders while the popup stands before the page: only the store may clear it, and nobody forces it."""
    if await HomePage(visit.page).overdue_orders.is_visible():
        raise OverdueOrders(
            f"{visit.store}: TumbleDry shows the store's overdue orders and lets nobody pass. "
            "Someone at the store must clear them; the next run looks again"
        )


@asynccontextmanager
async def notices_closed(visit: Visit) -> AsyncIterator[None]:
    """A notice that comes up over the page meanwhile, at whatever moment, is closed by its own closer."""
    home = HomePage(visit.page)
    await visit.page.add_locator_handler(home.notice, lambda: close_notices(visit))
    try:
        yield
    finally:
        await visit.page.remove_locator_handler(home.notice)


async def close_notices(visit: Visit) -> None:
    """Close whatever notices are up. Their closers are told, not pressed: one notice may cover the other's."""
    from playwright.async_api import TimeoutError as StillUp

    home = HomePage(visit.page)
    for _ in range(MOST_NOTICES):
        if not (up := await home.notices.count()):
            return
        try:
            await home.close_notice.dispatch_event("click", timeout=NOTICE_MILLISECONDS)
            await home.notices.nth(up - 1).wait_for(state="hidden", timeout=NOTICE_MILLISECONDS)
        except StillUp:
            continue  # one that is still fading in does not listen
