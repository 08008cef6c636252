// A share of a whole as a bar with its numbers.

import { h, say, set } from "./dom.js";

/** A bar whose `fillTo(part, whole, words)` brings it up to date. @param {string} name @returns {any} */
export function bar(name) {
  const filled = h("span", { class: "filled" });
  const words = h("span", { class: "words" });
  const element = h("div", { class: "bar" }, h("span", { class: "name" }, name), h("span", { class: "trough", "aria-hidden": "true" }, filled), words);
  element.fillTo = (part, whole, text) => {
    const share = whole > 0 ? part / whole : part > 0 ? 1 : 0;
    filled.style.width = `${Math.min(100, 100 * share).toFixed(1)}%`;
    set(filled, { class: `filled${share > 0.9 ? " full" : ""}` });
    say(words, `${text} · ${whole > 0 ? `${Math.round(100 * share)} %` : "–"}`);
  };
  return element;
}
