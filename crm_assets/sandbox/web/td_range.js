// The range button and its dialog of six numeric inputs. Knows nothing of requests or files.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LIMITS = { day: 31, month: 12, year: 9999 };
const PARTS = ["day", "month", "year"];

const lastDayOf = ({ month, year }) => new Date(Date.UTC(year, month, 0)).getUTCDate();
const written = ({ day, month, year }) => `${MONTHS[month - 1]} ${day}, ${year}`;
const iso = ({ day, month, year }) =>
  `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;

// Two months back on the first, up to today, as the portal opens.
export function startingRange(today) {
  const [year, month, day] = today.split("-").map(Number);
  const first = new Date(Date.UTC(year, month - 3, 1));
  return {
    from: { day: 1, month: first.getUTCMonth() + 1, year: first.getUTCFullYear() },
    to: { day, month, year },
  };
}

// What a typed part makes of a date. A day the month now shown does not have is not accepted.
export function withPart(shown, part, value) {
  const limit = part === "day" ? lastDayOf(shown) : LIMITS[part];
  if (!Number.isInteger(value) || value < 1 || value > limit) return shown;
  const next = { ...shown, [part]: value };
  return { ...next, day: Math.min(next.day, lastDayOf(next)) };
}

export class RangePicker {
  constructor(button, dialog, range) {
    this.button = button;
    this.dialog = dialog;
    this.range = range;
    this.button.textContent = this.text;
    this.button.addEventListener("click", () => this.open());
  }

  get text() {
    return `${written(this.range.from)} - ${written(this.range.to)}`;
  }

  get window() {
    return { from: iso(this.range.from), to: iso(this.range.to) };
  }

  open() {
    this.shown = structuredClone(this.range);
    this.inputs = [...this.dialog.querySelectorAll("input")];
    this.inputs.forEach((input, index) => {
      input.oninput = () => this.typed(input, index);
    });
    this.dialog.querySelector("#range-update").onclick = () => this.update();
    this.dialog.querySelector("#range-error").textContent = "";
    this.show();
    this.dialog.hidden = false;
  }

  typed(input, index) {
    if (input.value === "") return;
    const end = index < 3 ? "from" : "to";
    this.shown[end] = withPart(this.shown[end], PARTS[index % 3], Number(input.value));
    this.show();
  }

  show() {
    this.inputs.forEach((input, index) => {
      input.value = this.shown[index < 3 ? "from" : "to"][PARTS[index % 3]];
    });
  }

  update() {
    if (iso(this.shown.from) > iso(this.shown.to)) {
      this.dialog.querySelector("#range-error").textContent = "From must not be after To.";
      return;
    }
    this.range = this.shown;
    this.button.textContent = this.text;
    this.dialog.hidden = true;
  }
}
