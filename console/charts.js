// Costs by day as stacked columns, in one currency and on its own scale.

import { svg } from "./dom.js";
import { money, roughly } from "./money.js";

const HEIGHT = 150;
const MARGINS = 90;
const WIDEST_PAGE = 1240;
const NARROWEST = 16;
const WIDEST = 52;
const GAP = 5;
const LABEL = 46;
const LEFT = 58;
const BOTTOM = 20;

/**
 * A column for each day, with a part for each group in the order of `groups`; a credit hangs below the line.
 * @param {string[]} days @param {{name: string, color: number, amounts: Map<string, bigint>}[]} groups @param {string} currency @param {number} room
 * in pixels, that the page has
 */
export function dayChart(days, groups, currency, room) {
  const step = Math.min(WIDEST, Math.max(NARROWEST, (Math.min(room, WIDEST_PAGE) - MARGINS - LEFT) / days.length));
  const every = Math.ceil(LABEL / step);
  const sums = days.map((day) => ({
    up: groups.reduce((sum, it) => sum + Math.max(0, roughly(it.amounts.get(day) ?? 0n)), 0),
    down: groups.reduce((sum, it) => sum + Math.min(0, roughly(it.amounts.get(day) ?? 0n)), 0),
  }));
  const top = rounded(Math.max(0, ...sums.map((it) => it.up)));
  const bottom = Math.min(0, ...sums.map((it) => it.down));
  const scale = HEIGHT / (top - bottom || 1);
  const y = (amount) => 8 + (top - amount) * scale;
  const width = Math.ceil(LEFT + days.length * step);
  const height = 8 + HEIGHT + BOTTOM;
  const lines = [0, top / 2, top].map((amount) => [
    svg("line", { class: "line", x1: LEFT - 4, x2: width, y1: y(amount), y2: y(amount) }),
    svg("text", { class: "number", x: LEFT - 8, y: y(amount) + 4, "text-anchor": "end" }, short(amount)),
  ]);
  const columns = days.map((day, index) => 
    column({ day, x: LEFT + index * step, wide: step - GAP, named: (days.length - 1 - index) % every === 0 }, groups, y, currency, height),
  );
  return svg("svg", { class: "chart", role: "img", "aria-label": `Costs by day in ${currency}; the table below has the numbers`, width, height, viewBox: `0 0 ${width} ${height}` }, lines.flat(), columns);
}

function column({ day, x, wide, named }, groups, y, currency, height) {
  let up = 0;
  let down = 0;
  const parts = groups.flatMap((it) => {
    const amount = it.amounts.get(day) ?? 0n;
    const size = roughly(amount);
    if (!size) return [];
    const from = size > 0 ? up : down;
    if (size > 0) up += size;
    else down += size;
    const [above, below] = size > 0 ? [y(up), y(from)] : [y(from), y(down)];
    const words = `${day} · ${it.name} · ${money(amount)} ${currency}`;
    return [svg("rect", { class: `part c${it.color}`, x, y: above, width: wide, height: Math.max(0.5, below - above) }, svg("title", {}, words))];
  });
  return svg("g", {}, parts, named && svg("text", { x: x + wide / 2, y: height - 6, "text-anchor": "middle" }, dayName(day)));
}

function dayName(day) {
  return new Date(day).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
}

/** The next number up that reads well. */
function rounded(most) {
  if (!most) return 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return unit * /** @type {number} */ ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((it) => it * unit >= most));
}

function short(amount) {
  if (!amount) return "0";
  return amount >= 1000 ? Math.round(amount).toLocaleString("en") : String(Number(amount.toPrecision(3)));
}
