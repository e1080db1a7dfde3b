"""Evidence: one set per distinct error, store and day; readable, without a secret, and never in the way of the error itself."""

import asyncio
import json
import logging
import os
import re
import shutil
import signal
import stat
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from crm_assets.browser import evidence, scrub
from crm_assets.browser.chrome import system_browser
from crm_assets.browser.evidence import Evidence, EvidenceShelf, Step, picture_markdown
from crm_assets.model import IST, Store

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

STORE = Store(crm="td", code="a668", name="Uttam Nagar", first_day=date(2025, 4, 1))
NOON = datetime(2026, 2, 14, 12, 30, 5, 120_000, tzinfo=IST)
STEPS = (Step(at=NOON, name="sign in"), Step(at=NOON + timedelta(seconds=1.3), name="set the range 2026-02-12"))
PASSWORD = "Geheim&<9>"
SECRETS = ("owner.demo", PASSWORD)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdG9yZSI6ImE2NjgifQ.c2lnbmF0dXJlLW9mLWFsbA"

REPORT_PAGE = f"""<!DOCTYPE html>
<html><head><title>Orders of Uttam Nagar</title>
<meta name="csrf-token" content="short9"><meta name="description" content="{JWT}">
<script>window.session = "SCRIPTSECRET"; /* {JWT} */</script><style>.x {{ color: red }} /* STYLESECRET */</style>
<!-- COMMENTSECRET --></head>
<body data-key="{JWT}" onload="start('HANDLERSECRET')">
<header>TumbleDry <span class="user-name">Asha Example</span> <i>owner.demo</i></header>
<form action="/Login?ticket=QUERYSECRET#HASHSECRET">
<input id="user" value="owner.demo"> <input id="password" type="password"> <input type="hidden" value="HIDDENSECRET">
<textarea>AREASECRET</textarea> <select><option>OPTIONSECRET</option></select> <input type="submit" value="Login">
<input id="day" type="number" value="31415">
</form>
<a href="/App/Order?token=QUERYSECRET">Order report</a>
<p>T1035 is Delivered, 14 Feb 2026, ₹1,250.00. Call 98<b>765</b>43210 or +91 87654-32109, or write to asha@example.test.</p>
<p>No number: A817--7461. Your OTP is 482913.</p><p>Customer: Divya Specimen</p>
<table><thead><tr><th>Order No.</th><th>Customer Name</th><th>Phone</th><th>Status</th></tr></thead>
<tbody><tr><td>T1036</td><td title="Meera Sample">Meera Sample</td><td>12345678</td><td>Inprocessing</td></tr></tbody>
<tfoot><tr><td>Total order</td><td>Rohan Placeholder</td><td></td><td>1 row</td></tr></tfoot></table>
<div id="shadow"></div>
<script>document.getElementById("shadow").attachShadow({{mode: "open"}}).innerHTML =
  "<p>Shadow row T1037 of 9876501234 <input value='SHADOWSECRET'></p>"</script>
</body></html>"""
HIDDEN = (
    *(
        "short9",
        "eyJ",
        "SECRET",
        "owner.demo",
        "Geheim",
        "Asha",
        "Divya",
        "Meera",
        "Rohan",
        "31415",
        "482913",
        "12345678",
    ),
    *("9876543210", "98<b>", "87654", "asha@", "A817--7461", "9876501234"),
)
READABLE = (
    "T1035",
    "T1036",
    "T1037",
    "Delivered",
    "Inprocessing",
    "14 Feb 2026",
    "₹1,250.00",
    "Total order",
    "Order report",
)


@dataclass(kw_only=True)
class Pages:
    """A small site: what stands at each path. A path that ends in ``endless`` is never answered to its end."""

    contents: dict[str, str] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def address(self, path: str, content: str, host: str = "127.0.0.1") -> str:
        self.contents[path] = content
        return f"http://{host}:{self.port}{path}"


def handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = pages.contents.get(self.path.split("?")[0])
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((content or "").encode())
            if self.path.endswith("endless"):
                self.wfile.flush()
                pages.ended.wait(30)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def serving() -> Iterator[Pages]:
    pages = Pages()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(pages)) as server:
        server.daemon_threads = True
        pages.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield pages
        pages.ended.set()
        server.shutdown()
        thread.join()


portal = pytest.fixture(serving)
reports = pytest.fixture(serving)


class Chromium:
    """A browser that the tests of this file share; each gets a page of its own."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.browser: Browser | None = None

    async def start(self, playwright: Any) -> "Browser":
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        path = system_browser(headless=True)
        arguments = [*root, "--disable-gpu", "--host-resolver-rules=MAP *.test 127.0.0.1"]
        browser: Browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        return browser

    def show[T](self, act: "Callable[[Page], Awaitable[T]]") -> T:
        """Run ``act`` on a new page."""

        async def once() -> T:
            assert self.browser
            context = await self.browser.new_context(viewport={"width": 1366, "height": 900})
            page = await context.new_page()
            page.set_default_timeout(60_000)
            try:
                return await act(page)
            finally:
                await context.close()

        return self.runner.run(once())


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    from playwright.async_api import async_playwright

    with asyncio.Runner() as runner:
        chromium = Chromium(runner)
        manager = async_playwright()
        playwright = runner.run(manager.__aenter__())
        chromium.browser = runner.run(chromium.start(playwright))
        yield chromium
        runner.run(chromium.browser.close())
        runner.run(manager.__aexit__(None, None, None))


@pytest.fixture
def patience() -> int:
    """How many times longer than usual the browser is waited for: a busy machine must not change what a test sees."""
    return 10


@pytest.fixture(autouse=True)
def limits(patience: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCRUB_SECONDS", "PICTURE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(evidence, name, getattr(evidence, name) * patience)
    monkeypatch.setattr(scrub, "FRAME_SECONDS", scrub.FRAME_SECONDS * patience)


in_time = pytest.mark.parametrize("patience", [1])


@pytest.fixture
def shelf(tmp_path: Path) -> EvidenceShelf:
    return EvidenceShelf(folder=tmp_path / "evidence", run_id="run-1", clock=lambda: NOON + timedelta(seconds=5))


async def keep(shelf: EvidenceShelf, page: "Page", **changes: Any) -> Evidence | None:
    told = {"code": "PortalChanged", "message": "waited in vain", "steps": STEPS, "secrets": SECRETS, **changes}
    return await shelf.keep(page, changes.pop("store", STORE), **{k: v for k, v in told.items() if k != "store"})


def kept(found: Evidence | None) -> Evidence:
    assert found is not None
    return found


def of_content(chromium: Chromium, shelf: EvidenceShelf, content: str, **changes: Any) -> Evidence:
    """Evidence of a page that holds ``content``."""

    async def act(page: "Page") -> Evidence | None:
        await page.set_content(content)
        return await keep(shelf, page, **changes)

    return kept(chromium.show(act))


def of_address(chromium: Chromium, shelf: EvidenceShelf, address: str, **changes: Any) -> Evidence:
    async def act(page: "Page") -> Evidence | None:
        await page.goto(address)
        return await keep(shelf, page, **changes)

    return kept(chromium.show(act))


def html_of(found: Evidence) -> str:
    return (found.folder / "page.html").read_text(encoding="utf-8")


def steps_of(found: Evidence) -> str:
    return (found.folder / "steps.txt").read_text(encoding="utf-8")


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def assert_without(folder: Path, words: Sequence[str]) -> None:
    content = everything(folder)
    assert [word for word in words if word.encode() in content] == []


def test_a_set_holds_the_picture_the_page_and_the_steps(
    chromium: Chromium, shelf: EvidenceShelf, portal: Pages
) -> None:
    async def act(page: "Page") -> Evidence | None:
        await page.goto(portal.address("/a668/App/home", REPORT_PAGE) + "?token=QUERYSECRET")
        await page.locator("#password").fill(PASSWORD)
        return await keep(shelf, page, notes=["probe: signed out"], message=f"{PASSWORD} was refused on 2026-02-14")

    found = kept(chromium.show(act))
    assert found.folder == shelf.folder / "2026-02-14" / "run-1" / "td_a668_PortalChanged"
    assert sorted(path.name for path in found.folder.iterdir()) == ["page.html", "page.jpg", "steps.txt"]
    assert found.picture == found.folder / "page.jpg"
    assert found.seen_today == 1
    assert_without(shelf.folder, HIDDEN)
    assert [word for word in READABLE if word not in html_of(found)] == []
    assert f"<!-- frame: http://127.0.0.1:{portal.port}/a668/App/home -->" in html_of(found)
    assert 5_000 < found.picture.stat().st_size < 80_000


def test_the_steps_say_what_was_done_and_when(chromium: Chromium, shelf: EvidenceShelf) -> None:
    text = steps_of(of_content(chromium, shelf, "<p>Home", notes=["probe: signed out"], message="a\nb owner.demo"))
    assert re.sub(r"chromium [\d.]+", "chromium", text).splitlines() == [
        "store:    td/a668 (Uttam Nagar)",
        "error:    PortalChanged",
        "message:  a b █",
        "when:     2026-02-14 12:30:10 IST",
        "run:      run-1",
        "page:     about:blank",
        "browser:  chromium",
        "note:     probe: signed out",
        "",
        "12:30:05.120  +0.0 s  sign in",
        "12:30:06.420  +1.3 s  set the range 2026-02-12",
        "12:30:10.120  +3.7 s  failed: PortalChanged",
    ]


def test_only_the_last_forty_steps_are_shown(chromium: Chromium, shelf: EvidenceShelf) -> None:
    steps = [Step(at=NOON, name=f"look at row {number}") for number in range(100)]
    text = steps_of(of_content(chromium, shelf, "<p>Home", steps=steps))
    assert re.findall(r"row (\d+)", text) == [str(number) for number in range(60, 100)]


def test_an_error_before_any_step_is_kept_too(chromium: Chromium, shelf: EvidenceShelf) -> None:
    assert "failed: PortalChanged" in steps_of(of_content(chromium, shelf, "<p>Home", steps=[]))


def test_folders_and_files_are_the_owners_alone(chromium: Chromium, shelf: EvidenceShelf) -> None:
    of_content(chromium, shelf, "<p>Home")
    paths = [shelf.folder, *shelf.folder.rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


@pytest.mark.parametrize("host", ["127.0.0.1", "reports.other.test"])
def test_a_frame_of_another_origin_is_scrubbed_and_kept(
    chromium: Chromium, shelf: EvidenceShelf, portal: Pages, reports: Pages, host: str
) -> None:
    inner = reports.address("/en/order-report", REPORT_PAGE, host)
    outer = f'<h1>Order report page</h1><iframe width=1200 height=700 src="{inner}?token={JWT}"></iframe>'
    found = of_address(chromium, shelf, portal.address("/App/Reports", outer))
    html = html_of(found)
    assert html.index("Order report page") < html.index(f"<!-- frame: {inner} -->") < html.index("T1036")
    assert_without(shelf.folder, HIDDEN)
    assert found.picture


@pytest.mark.parametrize("host", ["127.0.0.1", "reports.other.test"])
def test_a_picture_cannot_show_what_stands_in_a_field_or_a_cell(
    chromium: Chromium, tmp_path: Path, portal: Pages, reports: Pages, host: str
) -> None:
    def picture(value: str) -> bytes:
        shelf = EvidenceShelf(folder=tmp_path / value, run_id="run", clock=lambda: NOON)
        content = (
            f"<input value='{value}'><table><tr><th>Customer<th>No.<tr><td>{value}<td>1</table><p>Customer: {value}</p>"
        )
        frame = reports.address(f"/{value}", content, host)
        found = of_address(chromium, shelf, portal.address("/", f"{content}<iframe src='{frame}'></iframe>"))
        assert found.picture
        return found.picture.read_bytes()

    assert picture("Asha") == picture("Meera-Sample")


def test_a_page_that_draws_itself_anew_all_the_time_is_scrubbed_in_its_picture(
    chromium: Chromium, tmp_path: Path
) -> None:
    def picture(value: str) -> bytes:
        shelf = EvidenceShelf(folder=tmp_path / value, run_id="run", clock=lambda: NOON)
        script = f"setInterval(() => document.body.innerHTML = '<h1>{value}</h1>', 1)"
        found = of_content(chromium, shelf, f"<body>{value}<script>{script}</script>", secrets=(value,))
        assert found.picture
        return found.picture.read_bytes()

    assert picture("owner-one") == picture("someone-else")


def test_a_page_that_changes_under_every_picture_has_none(
    chromium: Chromium, shelf: EvidenceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def changed(_: scrub.StillPage, *, with_html: bool = False) -> tuple[list[scrub.FrameFound], bool]:
        return [scrub.FrameFound(url="about:blank", masked=1, html="<p>T1035" if with_html else "")], True

    monkeypatch.setattr(scrub.StillPage, "scrub", changed)
    found = of_content(chromium, shelf, "<p>Home")
    assert found.picture is None
    assert "left out: no picture" in steps_of(found)
    assert "T1035" in html_of(found)


def test_the_page_works_on_after_it_is_opened_anew(chromium: Chromium, shelf: EvidenceShelf, portal: Pages) -> None:
    async def act(page: "Page") -> Any:
        address = portal.address("/", "<script>document.title = 'alive'</script>")
        await page.goto(address)
        await keep(shelf, page)
        await page.goto(address)
        return await page.title()

    assert chromium.show(act) == "alive"


def test_a_page_that_never_finishes_loading_is_kept(chromium: Chromium, shelf: EvidenceShelf, portal: Pages) -> None:
    async def act(page: "Page") -> Evidence | None:
        frame = portal.address("/endless", "<p>Half a page of 9876543210")
        content = f"<p>T1035 waits</p><img src='/endless'><iframe src='{frame}'></iframe>"
        await page.goto(portal.address("/endless", content), wait_until="commit")
        await page.get_by_text("T1035").wait_for()
        return await keep(shelf, page)

    found = kept(chromium.show(act))
    assert found.picture
    assert "T1035 waits" in html_of(found)
    assert_without(shelf.folder, ["9876543210"])


def keep_five_megabytes(chromium: Chromium, shelf: EvidenceShelf) -> tuple[Evidence, float]:
    """Evidence of a table of 45,000 orders, and the seconds it took."""
    row = "<tr><td>T{0}</td><td>Asha Example</td><td>98765{0}</td><td data-k='{0}'>Delivered on 14 Feb 2026</td></tr>"
    rows = "".join(row.format(10_000 + number) for number in range(45_000))
    header = "<tr><th>Order No.</th><th>Customer</th><th>Phone</th><th>Status</th></tr>"
    assert len(rows) > 4_500_000

    async def act(page: "Page") -> tuple[Evidence, float]:
        await page.set_content(f"<table>{header}{rows}</table>")
        started = time.monotonic()
        return kept(await keep(shelf, page)), time.monotonic() - started

    return chromium.show(act)


def test_a_page_of_five_megabytes_is_kept_and_cut(chromium: Chromium, shelf: EvidenceShelf) -> None:
    found, _ = keep_five_megabytes(chromium, shelf)
    assert found.picture
    assert "T10001" in html_of(found)
    assert len(html_of(found)) < 600_000
    assert_without(shelf.folder, ["Asha", "98765"])


@in_time
def test_a_page_of_five_megabytes_costs_six_seconds_at_most(chromium: Chromium, shelf: EvidenceShelf) -> None:
    _, seconds = keep_five_megabytes(chromium, shelf)
    assert seconds < 6
    assert_without(shelf.folder, ["Asha", "98765"])


def test_a_closed_page_still_leaves_the_steps(chromium: Chromium, shelf: EvidenceShelf) -> None:
    async def act(page: "Page") -> Evidence | None:
        await page.close()
        return await keep(shelf, page)

    found = kept(chromium.show(act))
    assert [path.name for path in found.folder.iterdir()] == ["steps.txt"]
    assert found.picture is None
    assert "left out: the page was closed" in steps_of(found)
    assert picture_markdown(found, "td/a668") == ""


def test_a_closed_context_still_leaves_the_steps(chromium: Chromium, shelf: EvidenceShelf) -> None:
    async def act(page: "Page") -> Evidence | None:
        await page.context.close()
        return await keep(shelf, page)

    assert "sign in" in steps_of(kept(chromium.show(act)))


def in_own_browser(act: "Callable[[Page, list[psutil.Process]], Awaitable[Any]]") -> Any:
    """Run ``act`` on a page of a browser of its own, and end that whatever became of it."""
    from playwright.async_api import async_playwright

    async def once() -> Any:
        before = set(psutil.Process().children(recursive=True))
        async with async_playwright() as playwright:
            browser = await Chromium.start(None, playwright)  # type: ignore[arg-type]
            page = await browser.new_page()
            await page.set_content("<p>Home")
            started = set(psutil.Process().children(recursive=True)) - before
            processes = [each for each in started if "chrom" in " ".join(each.cmdline()[:1])]
            try:
                return await act(page, processes)
            finally:
                for process in processes:
                    if process.is_running():
                        process.kill()

    return asyncio.run(once())


@in_time
def test_a_frozen_browser_costs_six_seconds_at_most_and_still_leaves_the_steps(shelf: EvidenceShelf) -> None:
    async def act(page: "Page", processes: list[psutil.Process]) -> tuple[Evidence | None, float]:
        for process in processes:
            os.kill(process.pid, signal.SIGSTOP)
        started = time.monotonic()
        return await keep(shelf, page), time.monotonic() - started

    found, seconds = in_own_browser(act)
    assert seconds < 6
    assert "left out: the browser did not answer in time" in steps_of(found)


def test_a_crashed_browser_still_leaves_the_steps(shelf: EvidenceShelf) -> None:
    async def act(page: "Page", processes: list[psutil.Process]) -> Evidence | None:
        for process in processes:
            process.kill()
        return await keep(shelf, page)

    assert "sign in" in steps_of(kept(in_own_browser(act)))


@in_time
def test_a_page_busy_for_ever_costs_six_seconds_at_most(shelf: EvidenceShelf) -> None:
    async def act(page: "Page", _: list[psutil.Process]) -> tuple[Evidence | None, float]:
        await page.evaluate("setTimeout(() => { for (;;) {} })")
        started = time.monotonic()
        return await keep(shelf, page), time.monotonic() - started

    found, seconds = in_own_browser(act)
    assert seconds < 6
    assert "sign in" in steps_of(found)


def test_the_same_error_of_a_day_is_kept_once_and_counted(chromium: Chromium, shelf: EvidenceShelf) -> None:
    first = of_content(chromium, shelf, "<p>Home")
    later = replace(shelf, run_id="run-2", clock=lambda: NOON + timedelta(hours=6))
    other_dates = [Step(at=NOON, name="set the range 2025-11-03")]
    again = of_content(chromium, later, "<p>Home", steps=other_dates)
    assert again == replace(first, seen_today=2)
    assert [path.name for path in (shelf.folder / "2026-02-14").iterdir() if path.is_dir()] == ["run-1"]
    (entry,) = json.loads((shelf.folder / "2026-02-14" / "td_a668.json").read_text(encoding="utf-8")).items()
    assert entry == (
        "PortalChanged | set the range # | blank",
        {"folder": "run-1/td_a668_PortalChanged", "count": 2},
    )


@pytest.mark.parametrize(
    "changes",
    [{"code": "ExportTimedOut"}, {"steps": STEPS[:1]}, {"store": replace(STORE, code="a817")}],
    ids=["code", "step", "store"],
)
def test_another_error_is_another_set(chromium: Chromium, shelf: EvidenceShelf, changes: dict[str, Any]) -> None:
    first = of_content(chromium, shelf, "<p>Home")
    other = of_content(chromium, shelf, "<p>Home", **changes)
    assert other.seen_today == 1
    assert other.folder != first.folder


def test_the_same_error_on_another_page_is_another_set(chromium: Chromium, shelf: EvidenceShelf, portal: Pages) -> None:
    paths = ["/a668/App/home", "/A668/App/home?x=1", "/a668/App/order/17", "/a668/App/order/18"]
    sets = [of_address(chromium, shelf, portal.address(path.split("?")[0], "<p>Page")) for path in paths]
    assert [each.seen_today for each in sets] == [1, 2, 1, 2]
    assert [each.folder.name for each in sets[::2]] == ["td_a668_PortalChanged", "td_a668_PortalChanged_2"]


def test_a_new_day_begins_at_midnight_in_kolkata(chromium: Chromium, shelf: EvidenceShelf) -> None:
    of_content(chromium, shelf, "<p>Home")
    midnight = replace(shelf, clock=lambda: datetime(2026, 2, 15, 0, 0, tzinfo=IST).astimezone(None))
    found = of_content(chromium, midnight, "<p>Home")
    assert found.seen_today == 1
    assert found.folder.parent.parent.name == "2026-02-15"


def test_a_deleted_set_is_kept_anew_and_counted_on(chromium: Chromium, shelf: EvidenceShelf) -> None:
    first = of_content(chromium, shelf, "<p>Home")
    shutil.rmtree(first.folder)
    again = of_content(chromium, shelf, "<p>Home")
    assert (again.picture, again.seen_today) == (first.picture, 2)
    assert again.picture
    assert again.picture.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}', '{"x": {"folder": 1, "count": 1}}', "\xff"])
def test_a_corrupt_index_is_started_anew(chromium: Chromium, shelf: EvidenceShelf, content: str) -> None:
    index = shelf.folder / "2026-02-14" / "td_a668.json"
    index.parent.mkdir(parents=True)
    index.write_bytes(content.encode("latin-1"))
    assert of_content(chromium, shelf, "<p>Home").seen_today == 1
    assert of_content(chromium, shelf, "<p>Home").seen_today == 2


def test_a_folder_that_cannot_be_written_gives_none_and_one_line(
    chromium: Chromium, shelf: EvidenceShelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.folder.write_text("a file in the folder's place", encoding="utf-8")

    async def act(page: "Page") -> Evidence | None:
        return await keep(shelf, page)

    with caplog.at_level(logging.INFO, logger="crm_assets"):
        assert chromium.show(act) is None
    assert [(record.__dict__["event"], record.__dict__["detail"]) for record in caplog.records] == [
        ("no evidence", "NotADirectoryError: Not a directory")
    ]


def test_a_full_disk_gives_none_and_leaves_no_half_a_set(
    chromium: Chromium, shelf: EvidenceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes, *, mode: int) -> None:
        if path.name == "page.jpg":
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    async def act(page: "Page") -> Evidence | None:
        return await keep(shelf, page)

    monkeypatch.setattr("crm_assets.browser.evidence.write_whole", full)
    assert chromium.show(act) is None
    assert [path for path in shelf.folder.rglob("*") if path.is_file()] == []


def test_what_cannot_go_wrong_goes_wrong_without_hiding_the_error(
    shelf: EvidenceShelf, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="crm_assets"):
        assert asyncio.run(keep(shelf, None)) is None  # type: ignore[arg-type]
    assert [record.__dict__["detail"] for record in caplog.records] == ["AttributeError"]


def test_a_run_id_of_several_parts_is_one_folder(chromium: Chromium, shelf: EvidenceShelf) -> None:
    found = of_content(chromium, replace(shelf, run_id="../td/a668/slot-3"), "<p>Home")
    assert found.folder.parent == shelf.folder / "2026-02-14" / "_td_a668_slot-3"


def test_a_trace_has_its_place_beside_the_evidence(shelf: EvidenceShelf) -> None:
    path = shelf.trace_path(STORE)
    assert path == shelf.folder / "2026-02-14" / "run-1" / "td_a668_trace.zip"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_picture_becomes_markdown_with_a_harmless_title(chromium: Chromium, shelf: EvidenceShelf) -> None:
    found = of_content(chromium, shelf, "<p>Home")
    text = picture_markdown(found, "td/a668 [x]\nwaited")
    assert text.startswith("![td/a668 x waited](data:image/jpeg;base64,/9j/")
    assert text.endswith(")")


@pytest.mark.parametrize("size", [None, 0, 150_001])
def test_a_picture_that_is_missing_or_too_large_is_not_shown(tmp_path: Path, size: int | None) -> None:
    picture = tmp_path / "page.jpg"
    if size is not None:
        picture.write_bytes(b"x" * size)
    assert picture_markdown(Evidence(folder=tmp_path, picture=picture, seen_today=1), "title") == ""
