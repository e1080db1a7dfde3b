"""UClean's endings in other clothes: what the flow makes of them must hang on the facts alone."""

import asyncio
from datetime import date

import pytest

from crm_assets.account import OpenAccount
from crm_assets.errors import AccountLocked, CrmError, LoginRejected, PortalChanged, PortalUnavailable
from crm_assets.model import Window
from crm_assets.portals.uclean.reports import GST_REPORT
from crm_assets_tests.portals.other.conftest import LOGIN, Stand
from crm_assets_tests.portals.other.uclean import DASHBOARD, NAV, OLD_FORM, Dress, panel

SEARCH = "<form onsubmit='return false'><input type=email hidden><button type=submit>Search</button></form>"
NOTICE = "<p role=alert class='alert alert-danger'>Maintenance on Sunday</p>"
HIDDEN_NAV = "<nav hidden>Phone</nav>"
DROPS = "let typed = 0; email.oninput = () => { if (!typed++) email.value = '' }"
LATE = """const button = form.querySelector('button'); button.disabled = true;
  pass.onblur = () => { button.disabled = !pass.value }"""
GOOD = {
    "a shell and a notice around the form": Dress(
        login=panel(around=HIDDEN_NAV + NAV + NOTICE + SEARCH),
        dashboard=HIDDEN_NAV + NOTICE + DASHBOARD,
        wait=2000,
        seconds=2,
    ),
    "the older form, a first key that is lost": Dress(login=panel(OLD_FORM, script=DROPS), home="/", key="token"),
    "a form that opens when its fields are left": Dress(login=panel(script=LATE), home="/home"),
    "another origin": Dress(moves=True),
    "a token in quotes": Dress(
        dashboard=DASHBOARD.replace("const token =", "const token = JSON.parse(").replace("(KEY);", "(KEY));"),
        login=panel().replace("said.data.token);", "JSON.stringify(said.data.token));"),
    ),
}


@pytest.mark.parametrize("dress", GOOD.values(), ids=GOOD)
def test_a_right_login_opens_the_panel_and_its_session_is_used_again(stand: Stand, dress: Dress) -> None:
    with stand.uclean(dress) as (portal, visitor):
        assert visitor.visit() is None
        assert visitor.visit() is None
        assert (portal.logins, visitor.signed_in_again) == ([True], False)


def test_a_dead_token_is_renewed_by_one_login(stand: Stand) -> None:
    with stand.uclean(Dress(bounce=1000, login=panel(around=NAV))) as (portal, visitor):
        assert visitor.visit() is None
        portal.accepts = False
        assert visitor.visit() is None
        assert portal.logins == [True, True]
        assert visitor.accounts.states_of("uc/sector56") == ["ok", "expired", "ok"]


def test_a_picker_without_the_very_day_is_refused_by_the_days_name(stand: Stand) -> None:
    async def work(account: OpenAccount) -> None:
        for first, last, absent in ((10, 11, 10), (11, 12, 12)):
            window = Window(first=date(2026, 2, first), last=date(2026, 2, last))
            with pytest.raises(PortalChanged, match=f"ui: expected the range picker to offer February {absent}, 2026"):
                await account.portal.export(account.visit, GST_REPORT, window)

    with stand.uclean(Dress()) as (_, visitor):
        assert visitor.visit(work) is None


def test_a_person_is_waited_for_where_the_login_page_has_a_shell_too(stand: Stand) -> None:
    async def work(account: OpenAccount) -> None:
        await account.portal.open_login(account.visit, LOGIN)

        async def person() -> None:
            await account.visit.page.wait_for_timeout(1000)  # as a person does, while the page is already watched
            await account.visit.page.locator("[type=submit]").click()

        await asyncio.gather(account.portal.arrived(account.visit, 20), person())

    with stand.uclean(Dress(login=panel(around=NAV))) as (portal, visitor):
        assert visitor.attended(work) is None
        assert portal.logins == [True]


REFUSAL = {"status": False, "message": "Invalid credentials", "data": {"token": None}}
BAD: dict[str, tuple[Dress, type[CrmError]]] = {
    "a polite no": (Dress(wrong=REFUSAL, login=panel(around=NAV)), LoginRejected),
    "locked": (Dress(wrong=(423, {"message": "Try again tomorrow"})), AccountLocked),
    "locked, politely": (Dress(wrong={"status": False, "message": "We have locked your account"}), AccountLocked),
    "too often": (Dress(wrong=(429, {"message": "Slow down"})), PortalUnavailable),
}


@pytest.mark.parametrize(("dress", "expected"), BAD.values(), ids=BAD)
def test_a_wrong_login_is_told_and_sent_once(stand: Stand, dress: Dress, expected: type[CrmError]) -> None:
    with stand.uclean(dress) as (portal, visitor):
        assert visitor.visit(password="Never-Right-1") is expected
        assert portal.logins == [False]
