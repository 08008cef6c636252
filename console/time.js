// Moments and spans in words: the local time for people, UTC in the title for everybody else.

import { h, say, set } from "./dom.js";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A moment as an element that says it in UTC, too. @param {string | null | undefined} moment @param {boolean} [seconds] @returns {any} */
export function when(moment, seconds = false) {
  return tellTime(h("time"), moment, seconds);
}

/** Bring such an element up to date. @param {any} element @param {string | null | undefined} moment @param {boolean} [seconds] */
export function tellTime(element, moment, seconds = false) {
  set(element, { datetime: moment ?? null, title: moment ? utc(moment) : null });
  return say(element, moment ? localTime(moment, seconds) : "–");
}

/** @param {string} moment */
export function utc(moment) {
  return `${moment.replace("T", " ").replace("Z", "")} UTC`;
}

/** Today's as a time, any other with its date. @param {string | number} moment @param {boolean} [seconds] */
export function localTime(moment, seconds = false) {
  const date = new Date(moment);
  const time = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23" });
  if (date.toDateString() === new Date().toDateString()) return time;
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return `${date.toLocaleDateString(undefined, { day: "numeric", month: "short", year })}, ${time}`;
}

/** A span in its two largest units. @param {number} ms */
export function span(ms) {
  if (ms < 10 * SECOND) return `${(Math.max(0, ms) / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min${rest(ms % MINUTE, SECOND, "s")}`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h${rest(ms % HOUR, MINUTE, "min")}`;
  return `${Math.floor(ms / DAY)} d${rest(ms % DAY, HOUR, "h")}`;
}

/** How long ago, or how soon. @param {string} moment */
export function fromNow(moment) {
  const ms = new Date(moment).getTime() - Date.now();
  if (Math.abs(ms) < 5 * SECOND) return "now";
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

function rest(ms, unit, name) {
  const count = Math.floor(ms / unit);
  return count ? ` ${count} ${name}` : "";
}
