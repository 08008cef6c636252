// A common time axis in per cent of its length. A long silence between events is folded, so that an hour of being ready
// does not squeeze ten seconds of becoming so.

import { span } from "./time.js";

const FOLD = 5; // per cent that a folded silence takes
const LEAST_FOLDED = 45_000;
const STEPS = [0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400].map((it) => it * 1000);
const TICKS = 7;

/**
 * @typedef {{at: number, label: string}} Tick where it is, in per cent
 * @typedef {{place: (moment: number) => number, ticks: Tick[], folds: {from: number, to: number, label: string}[]}} Axis
 */

/** The axis for some moments; the silence before the last is not folded while it lasts. @param {number[]} moments @param {boolean} lasting @returns {Axis} */
export function axisOf(moments, lasting) {
  const points = [...new Set(moments)].sort((a, b) => a - b);
  if (points.length < 2) points.push((points[0] ?? 0) + 1000);
  const gaps = points.slice(1).map((to, index) => ({ from: points[index], to, folded: false }));
  const folded = fold(lasting ? gaps.slice(0, -1) : gaps, gaps);
  const shown = gaps.reduce((sum, it) => sum + (it.folded ? 0 : it.to - it.from), 0) || 1;
  const scale = (100 - folded * FOLD) / shown;
  let at = 0;
  const places = gaps.map((gap) => {
    const start = at;
    at += gap.folded ? FOLD : (gap.to - gap.from) * scale;
    return { ...gap, start, end: at };
  });
  const place = (moment) => {
    const gap = places.find((it) => moment <= it.to) ?? places[places.length - 1];
    const share = (moment - gap.from) / (gap.to - gap.from);
    return gap.start + Math.min(1, Math.max(0, share)) * (gap.end - gap.start);
  };
  const folds = places.filter((it) => it.folded).map((it) => ({ from: it.start, to: it.end, label: span(it.to - it.from) }));
  return { place, ticks: ticks(places, points[0], shown), folds };
}

/** Fold what is long beside all the rest, the longest first; how many were. */
function fold(candidates, gaps) {
  let rest = gaps.reduce((sum, it) => sum + it.to - it.from, 0);
  let count = 0;
  for (const gap of [...candidates].sort((a, b) => b.to - b.from - (a.to - a.from))) {
    const length = gap.to - gap.from;
    if (length < LEAST_FOLDED || length < (rest - length) / 2 || count === 6) break;
    gap.folded = true;
    rest -= length;
    count += 1;
  }
  return count;
}

function ticks(places, start, shown) {
  const step = STEPS.find((it) => shown / it <= TICKS) ?? STEPS[STEPS.length - 1];
  const found = [];
  for (const gap of places) {
    if (gap.folded) continue;
    for (let at = Math.ceil((gap.from - start) / step) * step; at <= gap.to - start; at += step) {
      const place = gap.start + ((at + start - gap.from) / (gap.to - gap.from)) * (gap.end - gap.start);
      if (place <= 96 && !(found.at(-1)?.at > place - 5)) found.push({ at: place, label: at ? `+${short(at)}` : "0" });
    }
  }
  return found;
}

function short(ms) {
  return ms < 10_000 && ms % 1000 === 0 ? `${ms / 1000} s` : span(ms);
}
