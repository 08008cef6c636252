// What went wrong or needs to be known, readably: an RFC 9457 problem with all of its fields.

import { Problem } from "./api.js";
import { h } from "./dom.js";

/** @param {"bad" | "wait" | "plan"} tone @param {string} title @param {...any} more */
export function notice(tone, title, ...more) {
  return h("div", { class: `notice ${tone}`, role: tone === "bad" ? "alert" : null }, h("strong", {}, title), ...more);
}

/** @param {any} error */
export function problemNotice(error) {
  if (!(error instanceof Problem)) return notice("bad", "Something went wrong", h("p", {}, error?.message ?? String(error)));
  const { detail, errors = [] } = error.problem;
  const fields = errors.map((it) => h("li", {}, h("code", {}, it.field), ` ${it.reason}`));
  return notice("bad", error.message, detail && h("p", {}, detail), fields.length > 0 && h("ul", {}, fields));
}
