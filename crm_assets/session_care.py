"""The care of saved sessions: test, seal anew, forget; each while no run is in the account.

What a run does with a session belongs to ``account.py``, making a new one to the bootstrap in ``multi_crm_downloader.py``.
"""

from pathlib import Path

from crm_assets.account import Desk, OpenAccount, save_session, visiting
from crm_assets.cancellation import run_to_end
from crm_assets.errors import LoginMissing, SessionDropped, StoreSkipped
from crm_assets.logs import say
from crm_assets.model import AccountState, Store
from crm_assets.portals.visit import in_time, understood


def probe(desk: Desk, store: Store) -> bool:
    """Does the saved session still open the portal? Never logs in; remembers a yes. Raises LoginMissing without a session."""

    async def once() -> bool:
        async with desk.book.hold(store):
            profile = desk.profiles.load(store)
            if profile is None:
                raise LoginMissing(f"{store}: expected a saved session, found none. Run: {store.bootstrap_command}")
            async with visiting(desk, store, profile) as account, understood(account.visit), in_time(account.visit):
                good = await opens(account)
                if good:
                    await keep_signed_in(desk, account, signed_in=False)
                return good

    return run_to_end(once())


def reseal(desk: Desk, store: Store) -> bool:
    """Seal the saved session with the first key; False when there is nothing to do. Raises ConfigurationError without a key."""

    async def once() -> bool:
        async with desk.book.hold(store):
            known, before = desk.book.account(store), desk.profiles.digest(store)
            if not desk.profiles.reseal(store):
                return False
            if known and before and known.profile_digest == before:
                # The same session in another envelope is none that a person brought: the account goes on waiting with it.
                desk.book.record(
                    store,
                    known.state,
                    reason=known.reason,
                    error_code=known.error_code,
                    profile_digest=desk.profiles.digest(store),
                )
            return True

    return run_to_end(once())


def forget(desk: Desk, store: Store) -> list[Path]:
    """Delete the saved session; returns what was deleted. A run under way is waited for: it would save the session again."""

    async def once() -> list[Path]:
        async with desk.book.hold(store):
            return desk.profiles.forget(store)

    return run_to_end(once())


async def opens(account: OpenAccount) -> bool:
    """Does the session open the portal? Also where only the store's own business stands before the page."""
    try:
        return await account.portal.signed_in(account.visit)
    except StoreSkipped as error:
        say(account.visit.store, "notice", error)
        return True


async def keep_signed_in(desk: Desk, account: OpenAccount, *, signed_in: bool) -> Path:
    """Save the session and remember that the account works. Raises SessionDropped when the portal was quicker."""
    path = await save_session(desk, account)
    if path is None:
        raise SessionDropped(f"{account.visit.store}: the portal ended the session before it was saved. Try again")
    desk.book.record(account.visit.store, AccountState.OK, signed_in=signed_in)
    return path
