"""Scrubbing: what is taken out of texts and pages, and what stays because it is what makes evidence useful."""

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from crm_assets.browser.chrome import system_browser
from crm_assets.browser.scrub import MARK, address, frames_html, held_still, scrub_html, scrub_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdG9yZSI6ImE2NjgifQ.c2lnbmF0dXJlLW9mLWFsbA"
VIEW_STATE = "wEPDwUKMTY1NDU2MTA1Mg9kFgICAw9kFgICAQ8PFgIeBFRleHQFC0hlbGxvK1dvcmxkZGRkZA=="
UUID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    "phone",
    [
        "9876543210",
        "98765 43210",
        "98765-43210",
        "98765.43210",
        "987-654-3210",
        "(98765) 43210",
        "+919876543210",
        "+91 98765 43210",
        "+91-987-654-3210",
        "(+91) 98765 43210",
        "919876543210",
        "09876543210",
        "0 98765 43210",
        "98765\u00a043210",
        "98765\u201343210",
        "+44 20 7946 0958",
        "011-23456789",
        "A817--7461",
    ],
)
def test_a_phone_number_is_taken_out_however_it_is_written(phone: str) -> None:
    for text in (f"Call {phone}.", f"{phone}", f"Order T1035 of {phone}, Ready", f"phone={phone}&x"):
        left = scrub_text(text)
        assert MARK in left
        assert not [
            part for part in phone.replace("(", " ").replace(")", " ").split() if len(part) > 1 and part[-4:] in left
        ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Your OTP is 482913.", f"Your OTP is {MARK}."),
        ("code: 4829", f"code: {MARK}"),
        ("482913 is your one-time password", f"{MARK} is your one-time password"),
        ("write to asha.e+x@mail.example.test now", f"write to {MARK} now"),
        ("pay asha@okaxis", f"pay {MARK}"),
        ("GSTIN 07ABCDE1234F1Z5 given", f"GSTIN {MARK} given"),
        ("Phone no. 1234567", f"Phone no. {MARK}"),
        (f"Authorization: Bearer {'x' * 12}", f"Authorization: {MARK}"),
        ("authorization = 'Basic dXNlcjpwYXNz'", f"authorization = '{MARK}'"),
        ("Bearer abcdefgh", f"Bearer {MARK}"),
        ("Basic dXNlcjpwYXN6eg==", f"Basic {MARK}"),
        ("Set-Cookie: sid=1; Path=/", f"Set-Cookie: {MARK}"),
        ("session_id=12ab; rest", f"session_id={MARK}; rest"),
        ('{"name": "Asha Example", "total": 12}', f'{{"name": "{MARK}", "total": 12}}'),
        ('{"token":"abc"}', f'{{"token":"{MARK}"}}'),
        (f"jwt {JWT} end", f"jwt {MARK} end"),
        (f"state {VIEW_STATE} end", f"state {MARK} end"),
        (f"id {UUID} end", f"id {MARK} end"),
        ("/order-reports/1170-UkXVZnsb6nDeQY9-gLnvq.xlsx", f"/order-reports/{MARK}.xlsx"),
        ("card 4111111111111111", f"card {MARK}"),
    ],
)
def test_what_is_personal_or_a_credential_is_taken_out(text: str, left: str) -> None:
    assert scrub_text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "T1035 UC567-1332 UC567-2025-26-1067 UC610-2025-26-1 Cust9999999",
        "08 Dec 2025 - 07 Jan 2026 07 Jan 2026 01:55 PM Download",
        "Mar 1, 2025 - May 29, 2025",
        "9-12-2025 - 10-1-2026, 09-12-2025 - 10-01-2026, 01/02/2026, 2026-02-14 12:30:05.120",
        "₹0 ₹1,250.00 65,43,210.50 987.50 1234.50",
        "Processing, Estimated Time 0m 0s",
        "Delivered, Inprocessing, Ready; payment by UPI/Wallet App",
        "td/a668: waited in vain during: set the range 2026-02-12 to 2026-02-13; at http://127.0.0.1:8080/a668/App/home",
        "Run: crm_download bootstrap --crm td --store a668",
        "GST_Report_2025-02-09_to_2025-05-09.xlsx TD_UttamNagar_20251124_20251126.xlsx",
        "password: expected one, found none. Set CRM_TD_A668_PASSWORD",
        "http://127.0.0.1:43210/login answered 503 (sign in)",
        "Locator.wait_for: Timeout 15000ms exceeded. waiting for locator('#txtBranchPin')",
    ],
)
def test_orders_dates_amounts_and_the_pages_own_words_stay(text: str) -> None:
    assert scrub_text(text) == text


SECRET = "Pä&ss 'w\"<1>/+"
FORMS = (
    SECRET,
    SECRET.upper(),
    "P%C3%A4%26ss%20%27w%22%3C1%3E%2F%2B",
    "P%c3%a4%26ss+%27w%22%3c1%3e%2f%2b",
    "Pä&amp;ss 'w\"&lt;1&gt;/+",
    "Pä&amp;ss &#39;w&quot;&lt;1&gt;/+",
    "Pä&amp;ss &#x27;w&quot;&lt;1&gt;/+",
    "P\\u00e4&ss 'w\\\"<1>/+",
)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_taken_out_in_every_form_it_is_written_in(form: str) -> None:
    assert scrub_text(f"before {form} after", [SECRET]) == f"before {MARK} after"
    assert scrub_html(f"<p>before {form} after</p>", [SECRET]) == f"<p>before {MARK} after</p>"


def test_a_secret_that_holds_another_goes_whole_and_an_empty_one_takes_nothing() -> None:
    assert scrub_text("owner.demo2 and owner", ["owner", "", " ", "owner.demo2"]) == f"{MARK} and {MARK}"


def test_a_long_run_of_letters_costs_no_time() -> None:
    for long in ("a" * 300_000, "aB3_" * 75_000, "9 " * 150_000, "a." * 150_000, '"name' * 60_000):
        scrub_text(long, ["secret"])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://reports.example.test/en/order-report?token={JWT}", "https://reports.example.test/en/order-report"),
        ("https://user:word@example.test:8443/a/b;jsessionid=1#x", "https://example.test:8443/a/b"),
        ("https://example.test/customer/9876543210/edit", f"https://example.test/customer/{MARK}/edit"),
        ("about:blank", "about:blank"),
        ("data:text/html,Asha", "data:"),
        ("http://[broken", MARK),
    ],
)
def test_an_address_is_shown_without_login_query_and_fragment(url: str, shown: str) -> None:
    assert address(url) == shown


Scrubbed = Callable[..., str]


@pytest.fixture(scope="module")
def scrubbed() -> Iterator[Scrubbed]:
    """The HTML that is left of a page's content, after both passes. A second run must find nothing more to mask."""
    from playwright.async_api import async_playwright

    async def of(browser: Any, content: str, script: str, secrets: tuple[str, ...]) -> str:
        page = await browser.new_page()
        await page.set_content(content)
        if script:
            await page.evaluate(script)
        async with held_still(page, secrets) as still:
            await still.scrub()
            frames, is_complete = await still.scrub(with_html=True)
        await page.close()
        assert is_complete
        assert [frame.masked for frame in frames] == [0] * len(frames)
        return frames_html(frames, secrets)

    with asyncio.Runner() as runner:
        manager = async_playwright()
        playwright = runner.run(manager.__aenter__())
        path = system_browser(headless=True)
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = runner.run(playwright.chromium.launch(executable_path=path, args=[*root, "--disable-gpu"]))
        yield lambda content, script="", secrets=(): runner.run(of(browser, content, script, secrets))
        runner.run(browser.close())
        runner.run(manager.__aexit__(None, None, None))


@pytest.mark.parametrize(
    "field",
    [
        *(
            f"<input type={kind} value=VALUE>"
            for kind in ("text", "password", "hidden", "search", "email", "tel", "url")
        ),
        "<input type=number value=4242>",
        "<input type=date value=2001-02-03>",
        "<input readonly disabled maxlength=3 value=VALUE>",
        "<textarea>VALUE</textarea>",
        "<select><option value=VALUE selected label=VALUE>VALUE</select>",
        "<datalist><option value=VALUE></datalist>",
        "<div contenteditable>VALUE <b>VALUE</b></div>",
        "<div role=textbox>VALUE</div>",
        "<div role=combobox><span title=VALUE>VALUE</span></div>",
    ],
)
def test_what_stands_in_a_field_is_taken_out(scrubbed: Scrubbed, field: str) -> None:
    left = scrubbed(field)
    assert MARK in left
    assert not [value for value in ("VALUE", "4242", "2001") if value in left]


def test_what_was_typed_is_taken_out_whatever_the_page_says_the_field_holds(scrubbed: Scrubbed) -> None:
    script = """() => {
      const field = document.querySelector("input");
      field.value = "TYPED";
      Object.defineProperty(field, "value", { get: () => "", set() {} });
      document.createTreeWalker = () => { throw new Error("patched") };
      String.prototype.replace = () => "patched";
    }"""
    left = scrubbed("<input><p>9876543210</p>", script)
    assert left.count(MARK) == 2
    assert "patched" not in left


def test_an_empty_field_and_a_buttons_words_stay(scrubbed: Scrubbed) -> None:
    left = scrubbed(
        "<input id=txtUserId placeholder='Jan 1, 2026 - Jan 15, 2026'><input type=submit value=Login>"
        "<input type=checkbox value=yes checked>"
    )
    assert MARK not in left
    assert all(word in left for word in ("txtUserId", "Jan 1, 2026 - Jan 15, 2026", "Login", "checked"))


@pytest.mark.parametrize(
    "content",
    [
        "<script>TOKEN</script>",
        "<style>/*TOKEN*/</style>",
        "<noscript><img src='/x?TOKEN'></noscript>",
        "<template><p>TOKEN</template>",
        "<!-- TOKEN -->",
        "<a href='/x?t=TOKEN'>x</a>",
        "<a href='/x#TOKEN'>x</a>",
        "<a href='javascript:f(TOKEN)'>x</a>",
        "<a href='tel:TOKEN'>x</a>",
        "<a href='https://a:TOKEN@example.test/'>x</a>",
        "<img src='data:image/png;base64,TOKEN'>",
        "<img srcset='/a?TOKEN 1x' data-src='/b?TOKEN'>",
        "<form action='/x?t=TOKEN'><button formaction='/y?TOKEN'>x</button></form>",
        "<iframe srcdoc='<p data-token=TOKEN>inside</p>'></iframe>",
        "<p onclick='f(TOKEN)'>x</p>",
        "<p style='background: url(/x?TOKEN)'>x</p>",
        "<p data-session-token=TOKEN>x</p>",
        '<p data-page=\'{"k": "TOKEN"}\'>x</p>',
        "<meta name=csrf-token content=TOKEN>",
        "<meta http-equiv=refresh content='99;url=/x?TOKEN'>",
        f"<p data-x='{JWT}' title='{UUID}' @click='x'>TOKEN</p>".replace("TOKEN", "x"),
        f"<p>{JWT} {VIEW_STATE} {UUID}</p>",
    ],
)
def test_no_token_is_left_wherever_a_page_keeps_it(scrubbed: Scrubbed, content: str) -> None:
    left = scrubbed(content)
    assert not [word for word in ("TOKEN", "eyJ", "wEPDw", "550e8400") if word in left]


@pytest.mark.parametrize(
    "content",
    [
        "98<b>765</b>43210",
        "+91 <span>98765</span> <span>43210</span>",
        "<i>9876543210</i><i>1</i>",
        "A817-<b>-7461</b>",
        "asha<b>@example.test</b>",
        "OTP: <b>482</b>913",
        "<b>Customer:</b> Asha Example",
        "Customer name:\n Asha Example, Status: Ready",
        "<dl><dt>Customer</dt><dd>Asha Example</dd></dl>",
        "<span class='user-name'>Asha</span><span id=lblCustomerName>Asha</span><b class=profileName>Asha</b>",
        "<div class=customer_phone>123</div><td class=x>",
    ],
)
def test_a_person_is_taken_out_of_running_text(scrubbed: Scrubbed, content: str) -> None:
    left = scrubbed(f"<div>{content}</div><p>T1035 is Ready</p>")
    parts = ("9876", "765", "432", "817", "746", "asha", "Asha", "example", "482", "913", "123")
    assert not [part for part in parts if part in left]
    assert "T1035 is Ready" in left


TABLES = {
    "plain": "<table><tr><th>No.<th>Customer<th>Status<tr><td>T1<td>Asha<td>Ready</table>",
    "without th": "<table><tr><td>No.<td>Customer<td>Status<tr><td>T1<td>Asha<td>Ready</table>",
    "colspan": "<table><tr><th colspan=2>No. and day<th>Mobile<th>Status<tr><td>T1<td>x<td>Asha<td>Ready</table>",
    "rowspan": (
        "<table><tr><th>No.<th>Day<th>Address<th>Status<tr><td rowspan=2>T1<td>x<td>Asha<td>Ready"
        "<tr><td>x<td>Asha<td>Ready</table>"
    ),
    "row headers": "<table><tr><th>Name<td>Asha<tr><th>Order<td>T1<tr><th>Status<td>Ready</table>",
    "footer": (
        "<table><thead><tr><th>No.<th>E-mail<th>Status<tbody><tr><td>T1<td>x<td>Ready<tfoot><tr><td>1<td>Asha<td>x</table>"
    ),
    "split": (
        "<table><tr><th>No.<th>GSTIN<th>Status</table><table><tr><td>T1<td>Asha<td>Ready<tr><td>T2<td>Asha<td>x</table>"
    ),
    "nested": (
        "<table><tr><th>No.<th>Contact<th>Status<tr><td>T1<td><table><tr><td>Asha<td>x</table><td>Ready</table>"
    ),
    "roles": (
        "<div role=grid><div role=row><b role=columnheader>No.</b><b role=columnheader>Phone</b><b role=columnheader>State"
        "</b></div><div role=row><i role=gridcell>T1</i><i role=gridcell><u title=Asha>Asha</u></i>"
        "<i role=gridcell>Ready</i></div></div>"
    ),
    "column numbers": (
        "<div role=grid><div role=row><b role=columnheader aria-colindex=7>Name</b></div>"
        "<div role=row><i role=gridcell aria-colindex=6>T1 Ready</i><i role=gridcell aria-colindex=7>Asha</i></div></div>"
    ),
    "labelled cells": "<table><tr><td data-label=No.>T1 Ready<td data-label='Customer Name'>Asha</table>",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_personal_column_is_masked_whatever_the_table_is_made_of(scrubbed: Scrubbed, table: str) -> None:
    left = scrubbed(table)
    assert "Asha" not in left
    assert "T1" in left
    assert "Ready" in left


def test_an_open_shadow_root_is_walked_too(scrubbed: Scrubbed) -> None:
    script = """() => {
      const outer = document.querySelector("div").attachShadow({ mode: "open" });
      outer.innerHTML = "T1035 <!-- TOKEN --><p></p><input value=TOKEN>";
      outer.querySelector("p").attachShadow({ mode: "open" }).innerHTML = "<b class=customer-name>Asha</b> 9876543210 Ready";
    }"""
    left = scrubbed("<div></div>", script)
    assert not [word for word in ("TOKEN", "Asha", "98765") if word in left]
    assert "T1035" in left
    assert "Ready" in left


def test_a_secret_is_taken_out_of_text_and_attributes(scrubbed: Scrubbed) -> None:
    content = "<p title='OWNER.demo'>Welcome, Owner<b>.Demo</b></p><a href='/u/owner.demo/x'>x</a><i id=owner.demo></i>"
    assert "demo" not in scrubbed(content, secrets=("owner.demo",)).lower()


def test_a_page_shown_as_xml_or_without_a_body_is_scrubbed(scrubbed: Scrubbed) -> None:
    script = "() => document.documentElement.replaceChildren()"
    assert "<html></html>" in scrubbed("<p>x</p>", script)
