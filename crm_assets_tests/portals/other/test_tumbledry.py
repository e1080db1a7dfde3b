"""TumbleDry's endings in other clothes: what the flow makes of them must hang on the facts alone.

A refused login is never an error that is tried again by machine, a good one never a refusal, and each run logs in once.
"""

from datetime import date, timedelta

import pytest

from crm_assets.account import OpenAccount, log_in
from crm_assets.errors import (
    AccountLocked,
    CrmError,
    LoginRejected,
    OtpRequired,
    OverdueOrders,
    PortalUnavailable,
    SessionDropped,
)
from crm_assets.model import Window
from crm_assets.otp import Challenge
from crm_assets.portals.contract import SecondFactor
from crm_assets.portals.tumbledry.reports import ORDER_REPORT
from crm_assets_tests.portals.other.conftest import LOGIN, Stand
from crm_assets_tests.portals.other.serving import Reply
from crm_assets_tests.portals.other.tumbledry import (
    CODE,
    HOME,
    LICENCE,
    MENU,
    OTP,
    REQUESTS,
    Dress,
    fetching,
    later,
    postback,
)

NOTICE = "<p role=alert class='alert alert-danger'>Maintenance on Sunday</p>"
COOKIES = "<div style='position:fixed;bottom:0;width:100%'>We use cookies <button type=submit>Accept</button></div>"
HIDDEN = "<label class=text-danger hidden>User is required</label>"
ALERT = "<div role=alert class=alert><span id=said></span></div>"
SAY = "document.getElementById('said').textContent ="
ELSEWHERE = "/a668/App/Home2"
OVER = "position:fixed;inset:0;background:white;z-index:9"


def modal(text: str, *, closer: str = "button", fade: int = 0, shown_after: int = 0) -> str:
    """A Bootstrap modal that covers the page; while it fades in its closer does not listen, and it fades out."""
    shown = (
        later(shown_after, "document.querySelector('.modal:not(.show)').classList.add('show')") if shown_after else ""
    )
    return f"""<style>.modal {{ display: none; {OVER} }} .modal.show {{ display: block }}</style>
    <div class='modal {"" if shown else "show"}'>{text}<{closer} data-dismiss=modal href=#>Close</{closer}></div>{shown}
    <script>setTimeout(() => document.querySelectorAll('[data-dismiss]').forEach(closer => closer.onclick = () =>
      setTimeout(() => closer.parentElement.remove(), {fade})), {fade + shown_after});</script>"""


def overdue(style: str = "", inside: str = "Call these customers") -> str:
    return f"<div id=pnlOrderOverDuePopup style='{style}'>{inside}</div>"


def code_form(fields: str, button: str = "<button>Submit</button>", extra: str = "") -> str:
    return f"{extra}<form method=post action=/code>{fields}{button}</form><button>Resend OTP</button>"


async def fetch_report(account: OpenAccount) -> None:
    """All the way into the frame, to a file."""
    window = Window(first=date(2026, 2, 1), last=date(2026, 2, 3))
    export = await account.portal.export(account.visit, ORDER_REPORT, window)
    assert export.file.read_bytes() == b"rows"


POLLING = "<script>setInterval(() => fetch('/poll'), 300)</script>"
GOOD = {
    "a notice stands on every page": Dress(login=postback(NOTICE + COOKIES + HIDDEN), home=NOTICE + MENU, seconds=1.5),
    "a script signs in and touches its notice": Dress(
        login=fetching(extra=NOTICE + ALERT.replace("<span", "Closed on Sunday <span"), first=f"{SAY} ''"), seconds=3
    ),
    "success is told like a refusal": Dress(
        login=fetching(
            extra=ALERT, right=f"{SAY} 'Login successful, one moment'; setTimeout(() => location.href = said.go, 2500)"
        )
    ),
    "a notice comes up while the answer is awaited": Dress(
        login=fetching(extra=ALERT, first=f"{SAY} 'We use cookies'"), seconds=4
    ),
    "home polls for ever, its link comes late, its popup is unseen": Dress(
        home="<nav><a href=/help>Help</a></nav>"
        + later(2000, f"document.body.innerHTML += `{overdue('display:none') + MENU}`")
        + POLLING
    ),
    "a page with a link goes on to an empty one that refreshes itself": Dress(
        right="/go",
        pages={
            "/go": f"<a href='{HOME}'>Go on</a>" + later(1500, "location.replace('/on')"),
            "/on": f"<meta http-equiv=refresh content='1;url={HOME}'>",
        },
    ),
    "two notices at once and a third in a moment": Dress(
        home=MENU + modal("Offer") + modal("Another", closer="a", fade=300) + modal("More", shown_after=500)
    ),
    "a notice on the login page": Dress(login=postback(modal("New app"))),
    "a list of requests with the oldest on top and rows of every kind": Dress(pages={"/en/order-report": REQUESTS}),
    "a bill and words about it": Dress(
        right=LICENCE,
        pages={
            LICENCE: "<h1>Licence</h1><p>You may pay later until Friday</p><p id=place></p>"
            + later(1000, f"place.innerHTML = `<a id=btnPayLater href='{HOME}'>I will pay later</a>`")
        },
    ),
}


@pytest.mark.parametrize("dress", GOOD.values(), ids=GOOD)
def test_a_right_login_reaches_the_report(stand: Stand, dress: Dress) -> None:
    with stand.tumbledry(dress) as (portal, visitor):
        assert visitor.visit(fetch_report) is None
        assert portal.logins == [True]


TOAST = "const toast = document.body.appendChild(document.createElement('div')); toast.textContent = {!r};"
GONE = " setTimeout(() => toast.remove(), 1000);"
LOCKED_WORDS = "This user has been blocked. Contact support."
BAD: dict[str, tuple[Dress, type[CrmError]]] = {
    "401 to the script, an unknown element": (
        Dress(login=fetching(wrong=TOAST.format("No such pair")), wrong=401),
        LoginRejected,
    ),
    "an alert that stood there unseen": (
        Dress(
            login=fetching(
                extra="<p class=alert-danger hidden>Invalid</p>", wrong="document.querySelector('p').hidden = false"
            )
        ),
        LoginRejected,
    ),
    "a redirect to the same notice": (Dress(login=postback(NOTICE)), LoginRejected),
    "a page without the form": (Dress(wrong="<h1>Sign-in failed</h1><a href=/Login>Try again</a>"), LoginRejected),
    "an ornament fails meanwhile": (
        Dress(wrong=postback("<img src=/banner>Sorry"), pages={"/banner": 503}),
        LoginRejected,
    ),
    "a warning about locks stands there": (
        Dress(login=postback("Your account is locked after five wrong passwords")),
        LoginRejected,
    ),
    "locked, in a toast that goes": (
        Dress(login=fetching(wrong=TOAST.format(LOCKED_WORDS) + GONE), wrong=(403, {"error": LOCKED_WORDS})),
        AccountLocked,
    ),
    "locked, in a message box": (Dress(login=fetching(wrong=f"alert({LOCKED_WORDS!r})")), AccountLocked),
    "locked, on the page": (Dress(wrong=postback(f"<b>{LOCKED_WORDS}</b>")), AccountLocked),
    "the portal asks to wait": (Dress(login=fetching(), wrong=429), PortalUnavailable),
    "the portal fails": (Dress(login=fetching(wrong=TOAST.format("Oops")), wrong=500), PortalUnavailable),
}


@pytest.mark.parametrize(("dress", "expected"), BAD.values(), ids=BAD)
def test_a_wrong_login_is_told_and_sent_once(stand: Stand, dress: Dress, expected: type[CrmError]) -> None:
    with stand.tumbledry(dress) as (portal, visitor):
        assert visitor.visit(password="Never-Right-1") is expected
        assert portal.logins == [False]


BUTTON_OVER = "<div class='modal show'>{}<button data-dismiss=modal onclick=\"fetch('/forced')\">Done</button></div>"
STANDS_BEFORE: dict[str, tuple[str, type[CrmError]]] = {
    "the popup comes late": (
        MENU + overdue("display:none;" + OVER) + later(700, "pnlOrderOverDuePopup.style.display = ''"),
        OverdueOrders,
    ),
    "the popup in a modal": (MENU + BUTTON_OVER.format(overdue()), OverdueOrders),
    "a modal in the popup": (
        MENU + overdue(inside=f"<style>.modal {{ {OVER} }}</style>" + BUTTON_OVER.format("Call them")),
        OverdueOrders,
    ),
    "home goes back a moment later": (MENU + later(900, "location.href = '/Login'"), SessionDropped),
    "home refreshes to the form": (MENU + "<meta http-equiv=refresh content='0;url=/Login'>", SessionDropped),
}


@pytest.mark.parametrize(("home", "expected"), STANDS_BEFORE.values(), ids=STANDS_BEFORE)
def test_home_is_only_home_when_it_stays(stand: Stand, home: str, expected: type[CrmError]) -> None:
    with stand.tumbledry(Dress(home=home)) as (portal, visitor):
        assert visitor.visit(fetch_report) is expected
        assert (portal.logins, portal.forced) == ([True], 0)


BOXES = "".join(f"<input name=c{at} maxlength=1 inputmode=numeric>" for at in range(6))
ADVANCE = """<script>document.querySelectorAll('[maxlength]').forEach(box => box.oninput = () => {
  const next = box.nextElementSibling; if (next && next.maxLength == 1) next.focus();
  else if (document.body.dataset.auto) box.form.submit(); })</script>"""
CODE_PAGES: dict[str, str] = {
    "a telephone field": code_form("<input type=tel name=c autocomplete=one-time-code>Expires in <b>04:59</b>"),
    "a label, behind a number that cannot be changed": code_form(
        "<input name=m value=98xxxxxx10 readonly><label>Enter OTP <input name=c></label>",
        "<input type=submit value='Verify OTP'>",
        "<input placeholder=Search>",
    ),
    "no button": code_form("<input name=c type=number>", "", "<input name=m disabled value=98xxxxxx10>"),
    "a box for each digit": code_form(BOXES, "<button>Proceed</button>"),
    "boxes that send themselves": code_form(BOXES, extra="<body data-auto=1>") + ADVANCE,
}


@pytest.mark.parametrize("page", CODE_PAGES.values(), ids=CODE_PAGES)
def test_a_code_is_answered_whatever_its_page_looks_like(stand: Stand, page: str) -> None:
    dress = Dress(right=OTP, pages={OTP.split("?")[0]: page}, code=LICENCE)
    dress.pages[LICENCE] = (
        f"<form action='{HOME}'><input type=button id=btnPayLater onclick=form.submit() value=Later></form>"
    )
    with stand.tumbledry(dress) as (portal, visitor):
        visitor.environ["CRM_TD_A668_OTP_COMMAND"] = f"echo {CODE}"
        assert visitor.visit() is None
        assert (portal.logins, portal.codes) == ([True], [True])


BY_SCRIPT = """<form id=f><input name=c><p><b>Expires in</b> <i>04:59</i></p><p>Resend in <i>00:30</i></p></form><script>
f.onsubmit = async event => {
  event.preventDefault();
  const answer = await fetch('/code', {method: 'POST', body: new URLSearchParams(new FormData(f))});
  if (answer.redirected) location.href = answer.url; SAY }</script>"""


def test_a_wrong_code_without_a_word_is_sent_once_and_needs_a_person(stand: Stand) -> None:
    pages: dict[str, Reply] = {OTP.split("?")[0]: BY_SCRIPT.replace("SAY", "")}
    with stand.tumbledry(Dress(right=OTP, pages=pages, wrong_code=400)) as (portal, visitor):
        visitor.environ["CRM_TD_A668_OTP_COMMAND"] = "echo 000000"
        assert visitor.visit() is OtpRequired
        assert (portal.logins, portal.codes) == ([True], [False])


def test_a_person_may_try_another_code_on_the_same_page(stand: Stand) -> None:
    say = "else document.body.insertAdjacentHTML('beforeend', '<p role=alert>Wrong</p>')"
    pages: dict[str, Reply] = {OTP.split("?")[0]: BY_SCRIPT.replace("SAY", say)}
    codes, asked = iter(["000000", CODE]), []

    async def answer(challenge: Challenge) -> str:
        asked.append(challenge.expires_in)
        return next(codes)

    async def work(account: OpenAccount) -> None:
        await log_in(account, LOGIN, SecondFactor(answer=answer, tries=3))

    with stand.tumbledry(Dress(right=OTP, pages=pages, wrong_code=400)) as (portal, visitor):
        assert visitor.attended(work) is None
        assert (portal.logins, portal.codes) == ([True], [False, True])
        assert asked == [timedelta(minutes=4, seconds=59)] * 2


def test_a_code_asked_for_behind_another_page_needs_a_person(stand: Stand) -> None:
    between = "<a href=/x>Go on</a>" + later(1200, f"location.href = '{OTP}'")
    pages: dict[str, Reply] = {"/go": between, OTP.split("?")[0]: code_form("<input name=c>")}
    with stand.tumbledry(Dress(right="/go", pages=pages)) as (portal, visitor):
        assert visitor.visit() is OtpRequired
        assert portal.logins == [True]


def test_a_dead_session_is_seen_where_the_form_lies_over_home(stand: Stand) -> None:
    dead = MENU + postback(f"<div style='{OVER}'></div>")
    with stand.tumbledry(Dress()) as (portal, visitor):
        assert visitor.visit() is None
        portal.dress = Dress(
            right="/go", pages={"/a668/App/home": dead, "/go": later(0, f"location.href = '{ELSEWHERE}'")}
        )
        portal.dress.pages[ELSEWHERE] = MENU
        assert visitor.visit() is None
        assert (portal.logins, visitor.signed_in_again) == ([True, True], True)
