// The GST report page: choose a range, hold its rows, show their sums, and write them into a workbook here in the browser.

import { call, openShell } from "/assets/uc_api.js";
import { Calendar } from "/assets/uc_calendar.js";
import { loadParts, workbook } from "/assets/sheetjs.js";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const PAGE_SIZE = 20;
const SUMS = ["taxable_value", "cgst", "sgst", "final_amount"];
const HEADERS = [
  "S.No.", "Booking ID", "Invoice No.", "Invoice Date", "Customer Name", "Customer Ph. No.", "Payment Status",
  "Customer GSTIN", "Place of Supply", "Taxable Value", "CGST", "SGST", "Total Invoice Value",
];
const one = (selector) => document.querySelector(selector);
const rupees = new Intl.NumberFormat("en-IN", { maximumFractionDigits: 2 });

let rows = [];
let range = {};

const iso = (date) =>
  [date.getFullYear(), String(date.getMonth() + 1).padStart(2, "0"), String(date.getDate()).padStart(2, "0")].join("-");
const written = (date) => date.toLocaleDateString("en-US", { month: "short", day: "numeric", year: "numeric" });

function complain(error) {
  one(".alert").textContent = error.message;
  one(".alert").hidden = false;
}

async function reportPage(page) {
  const query = new URLSearchParams({
    ...range, page, limit: PAGE_SIZE, sortBy: "invoice_date", sortOrder: "DESC", export: "false", franchise: "UCLEAN",
  });
  return (await (await call(`/api/v1/stores/report/tax-report?${query}`)).json()).data;
}

async function allPages() {
  const found = [];
  for (let page = 1; ; page += 1) {
    const some = await reportPage(page);
    found.push(...some);
    if (some.length < PAGE_SIZE) return found.reverse();
  }
}

function show() {
  document.querySelectorAll(".gst-banner-card .value").forEach((value, index) => {
    const sum = rows.reduce((total, row) => total + row[SUMS[index]], 0);
    value.textContent = `₹${rupees.format(sum)}`;
  });
  one("main > table tbody").replaceChildren(...rows.slice(-PAGE_SIZE).reverse().map(line));
}

function line(row) {
  const tr = document.createElement("tr");
  const shown = [row.order_number, row.invoice_number, row.invoice_date, row.name, row.payment_status, row.final_amount];
  tr.append(...shown.map((content) => Object.assign(document.createElement("td"), { textContent: content })));
  return tr;
}

async function apply(from, to) {
  if (!from || !to || from > to) throw new Error("Choose a start date and an end date after it.");
  range = { from: iso(from), to: iso(to) };
  one(".search-user").placeholder = `${written(from)} - ${written(to)}`;
  one(".calendar-body").classList.remove("show");
  rows = [];
  show();
  rows = await allPages();
  show();
}

function sheetRow(row, index) {
  const invoiceDate = row.invoice_date.slice(0, 10).split("-").reverse().join("/");
  return [
    index + 1, row.order_number, row.invoice_number, invoiceDate, row.name, row.customer_phone,
    row.payment_status, row.customer_gst, row.city_name, row.taxable_value, row.cgst, row.sgst, row.final_amount,
  ];
}

function save(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: XLSX }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// What is held at the click is what is written, be it nothing yet.
async function exportReport() {
  const held = rows.map(sheetRow);
  const name = `GST_Report_${range.from}_to_${range.to}.xlsx`;
  const told = await call("/api/v1/stores/report/panel-export", { method: "POST", body: JSON.stringify(range) });
  const isHtml = told.headers.get("Content-Type").startsWith("text/html");
  save(isHtml ? await told.text() : workbook(await loadParts(), "GST Report", HEADERS, held), name);
}

await openShell();
const dayOf = (text) => new Date(`${text}T00:00`);
const today = dayOf(document.body.dataset.today);
const closed = document.body.dataset.closed.split(" ").filter(Boolean).map(dayOf);
const start = new Calendar(one(".start-date"), today, closed);
const end = new Calendar(one(".end-date"), today, closed);
one(".search-user").addEventListener("click", () => one(".calendar-body").classList.add("show"));
one(".apply .btn:not(.primary)").addEventListener("click", () => one(".calendar-body").classList.remove("show"));
one(".apply .btn.primary").addEventListener("click", () => apply(start.chosen, end.chosen).catch(complain));
one(".export").addEventListener("click", () => exportReport().catch(complain));
