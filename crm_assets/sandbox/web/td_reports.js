// The report app: from "Loading" over Expand to the request list, which asks for itself again and again.

import { RangePicker, startingRange } from "/assets/td_range.js";

const { key, word: report, poll, today, direct, refreshes } = document.body.dataset;
const part = (id) => document.getElementById(id);

async function call(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { "X-Report-Key": key, "Content-Type": "application/json" } });
  if (!answer.ok) throw new Error(`The report service answered ${answer.status}.`);
  return answer.json();
}

function cell(content) {
  const td = document.createElement("td");
  td.append(content);
  return td;
}

function status(word, href) {
  if (!href) return word;
  const link = document.createElement("a");
  link.href = href;
  link.textContent = word;
  return link;
}

function line({ serial, range, requested, status: word, href }) {
  const row = document.createElement("tr");
  row.append(cell(String(serial)), cell(range), cell(requested), cell(status(word, href)));
  return row;
}

// Drawn anew only when something changed, so that a link does not move away under a pointer.
let drawn = "";
async function refresh() {
  const { rows } = await call(`/api/${report}/requests`);
  const content = JSON.stringify(rows);
  if (content === drawn) return;
  drawn = content;
  part("requests").replaceChildren(...rows.map(line));
}

async function keepRefreshing() {
  try {
    await refresh();
  } catch (error) {
    part("notice").textContent = error.message;
  }
  if (refreshes === "yes") setTimeout(keepRefreshing, Number(poll));
}

function offerExport() {
  const picker = new RangePicker(part("export-range"), part("range-dialog"), startingRange(today));
  part("direct").hidden = direct !== "yes";
  part("export").addEventListener("click", () => {
    location.href = `/api/${report}/export?${new URLSearchParams({ ...picker.window, key })}`;
  });
}

function offerRequests() {
  const picker = new RangePicker(part("request-range"), part("range-dialog"), startingRange(today));
  part("generate").addEventListener("click", () => {
    part("generate-panel").hidden = false;
  });
  part("request").addEventListener("click", async () => {
    part("request").disabled = true;
    try {
      const { message } = await call(`/api/${report}/requests`, { method: "POST", body: JSON.stringify(picker.window) });
      part("notice").textContent = message;
      if (refreshes === "yes") await refresh();
    } catch (error) {
      part("notice").textContent = error.message;
    }
    part("request").disabled = false;
  });
}

function showHistorical(event) {
  event.preventDefault();
  part("report").hidden = true;
  part("historical").hidden = false;
  keepRefreshing();
}

part("expand").addEventListener("click", () => {
  part("historical-link").hidden = false;
  part("expand").setAttribute("aria-expanded", "true");
});
part("historical-link").addEventListener("click", showHistorical);
offerExport();
offerRequests();
await call(`/api/${report}/requests`);
part("loading").remove();
part("report").hidden = false;
