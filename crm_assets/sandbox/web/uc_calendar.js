// One Material calendar: period, previous and next month, and a cell for each day with its exact label.

const LONG = { month: "long", day: "numeric", year: "numeric" };
const SHORT = { month: "short", year: "numeric" };
const DAYS_IN_WEEK = 7;

const markup = `
  <div class="mat-calendar" role="application">
    <div class="mat-calendar-header">
      <button type="button" class="mat-calendar-period-button" aria-live="polite"></button>
      <button type="button" class="mat-calendar-previous-button" aria-label="Previous month">&lsaquo;</button>
      <button type="button" class="mat-calendar-next-button" aria-label="Next month">&rsaquo;</button>
    </div>
    <table class="mat-calendar-table" role="grid"><tbody class="mat-calendar-body"></tbody></table>
  </div>`;

export class Calendar {
  // `closed` are the first and the last day of those that cannot be chosen, besides days to come.
  constructor(place, today, closed = []) {
    place.innerHTML = markup;
    this.place = place;
    this.today = today;
    this.closed = closed;
    this.chosen = null;
    this.month = new Date(today.getFullYear(), today.getMonth(), 1);
    place.querySelector(".mat-calendar-previous-button").addEventListener("click", () => this.turn(-1));
    place.querySelector(".mat-calendar-next-button").addEventListener("click", () => this.turn(1));
    this.show();
  }

  turn(months) {
    this.month = new Date(this.month.getFullYear(), this.month.getMonth() + months, 1);
    this.show();
  }

  choose(day) {
    this.chosen = day;
    this.show();
  }

  show() {
    this.place.querySelector(".mat-calendar-period-button").textContent = this.month
      .toLocaleDateString("en-US", SHORT)
      .toUpperCase();
    const blanks = Array.from({ length: this.month.getDay() }, () => document.createElement("td"));
    this.place.querySelector("tbody").replaceChildren(...inWeeks([...blanks, ...this.days().map((day) => this.cell(day))]));
  }

  days() {
    const last = new Date(this.month.getFullYear(), this.month.getMonth() + 1, 0).getDate();
    return Array.from({ length: last }, (_, index) => new Date(this.month.getFullYear(), this.month.getMonth(), index + 1));
  }

  cell(day) {
    const cell = document.createElement("td");
    const isClosed = day > this.today || (day >= this.closed[0] && day <= this.closed[1]);
    cell.className = `mat-calendar-body-cell${isClosed ? " mat-calendar-body-disabled" : ""}`;
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-label", day.toLocaleDateString("en-US", LONG));
    cell.setAttribute("aria-disabled", String(isClosed));
    const selected = day.getTime() === this.chosen?.getTime() ? " mat-calendar-body-selected" : "";
    cell.innerHTML = `<div class="mat-calendar-body-cell-content${selected}">${day.getDate()}</div>`;
    if (!isClosed) cell.addEventListener("click", () => this.choose(day));
    return cell;
  }
}

function inWeeks(cells) {
  const rows = [];
  for (let start = 0; start < cells.length; start += DAYS_IN_WEEK) {
    const row = document.createElement("tr");
    row.append(...cells.slice(start, start + DAYS_IN_WEEK));
    rows.push(row);
  }
  return rows;
}
