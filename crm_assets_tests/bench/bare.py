"""The bare script that ``refresh`` is measured against: one store, one day, from the login to the fact table, and nothing more.

What people write in an afternoon: Playwright, calamine, COPY, upsert. No saved session, no proof, no ledger, no history, no
retry, no Dagster. It runs in the peers' environment and imports nothing of the project. Its task comes as JSON on standard input.
"""

import json
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from playwright.sync_api import Page, Response, sync_playwright
from python_calamine import CalamineWorkbook

IST = timezone(timedelta(hours=5, minutes=30))
TABLES = {
    "td": ("bare_td_orders", "order_number text, ordered_at timestamptz, net_amount numeric, order_status text"),
    "uc": ("bare_uc_gst", "invoice_number text, invoiced_on date, invoice_value numeric, payment_status text"),
}


def main() -> None:
    task = json.load(sys.stdin)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=task["browser"], args=["--no-sandbox"])
        page = browser.new_page()
        file = Path(folder) / "export.xlsx"
        {"td": from_tumbledry, "uc": from_uclean}[task["crm"]](page, task, file)
        browser.close()
        rows = CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    load(task, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]])


def from_tumbledry(page: Page, task: dict[str, Any], file: Path) -> None:
    day = date.fromisoformat(task["day"])
    page.goto(f"{task['subs']}/{task['store']}")
    page.fill("#txtUserId", task["user"])
    page.fill("#txtPassword", task["password"])
    page.fill("#txtBranchPin", task["store"].upper())
    page.click("#btnLogin")
    page.click("#achrOrderReport")
    frame = page.frame_locator("#ifrmReport")
    frame.get_by_text("Expand", exact=True).click()
    frame.get_by_text("Download historical report").click()
    frame.get_by_role("button", name="Generate Report").click()
    frame.locator("#request-range").click()
    inputs = frame.get_by_role("dialog").locator("input")
    for at in (0, 3):
        for place, value in ((2, day.year), (1, day.month), (0, day.day)):
            inputs.nth(at + place).fill(str(value))
    frame.get_by_role("button", name="Update").click()
    with page.expect_response(lambda answer: _is_list(answer, "POST")):
        frame.get_by_role("button", name="Request Report").click()
    page.wait_for_event("response", lambda answer: _is_list(answer, "GET"))
    page.wait_for_timeout(100)  # drawn: at the top of the list stands our own
    link = frame.locator("#requests tr").first.get_by_role("link", name="Download")
    link.wait_for(timeout=300_000)
    with page.expect_download() as download:
        link.click()
    download.value.save_as(file)


def _is_list(answer: Response, method: str) -> bool:
    return answer.request.method == method and answer.url.endswith("/requests")


def from_uclean(page: Page, task: dict[str, Any], file: Path) -> None:
    page.goto(f"{task['panel']}/login")
    page.fill("#email", task["user"])
    page.fill("#password", task["password"])
    page.click("button[type='submit']")
    page.locator("nav").wait_for()
    token = page.evaluate("localStorage.getItem('uclean_auth_token')")
    asked = f"{task['api']}/api/v1/sales/export-report?type=GST&format=excel&from={task['day']}&to={task['day']}"
    answer = page.request.get(asked, headers={"Authorization": f"Bearer {token}"})
    file.write_bytes(answer.body())


def load(task: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    table, columns = TABLES[task["crm"]]
    if task["crm"] == "td":
        values = [
            (
                row["Order No."],
                datetime.strptime(row["Order Date / Time"], "%d %b %Y %I:%M:%S %p").replace(tzinfo=IST),
                row["Net Amount"],
                row["Order Status"],
            )
            for row in rows
            if row["Order Date / Time"] != "Total order"
        ]
    else:
        values = [
            (
                row["Invoice No."],
                datetime.strptime(row["Invoice Date"], "%d/%m/%Y").replace(tzinfo=IST).date(),
                row["Total Invoice Value"],
                row["Payment Status"],
            )
            for row in rows
        ]
    names = [column.split()[0] for column in columns.split(", ")]
    changed = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    with psycopg.connect(task["database"]) as conn:
        conn.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({names[0]}))")
        conn.execute(f"CREATE TEMPORARY TABLE incoming (LIKE {table}) ON COMMIT DROP")
        with conn.cursor().copy(f"COPY incoming ({', '.join(names)}) FROM STDIN") as copy:
            for value in values:
                copy.write_row(value)
        conn.execute(
            f"INSERT INTO {table} SELECT * FROM incoming ON CONFLICT ({names[0]}) DO UPDATE SET {changed}"  # noqa: S608
        )


if __name__ == "__main__":
    main()
