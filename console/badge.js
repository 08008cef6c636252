// A status as a small label: sign, word and colour, each of which suffices.

import { h, say, set } from "./dom.js";

/** @param {string} status @param {{tone: string, sign: string, means: string}} words */
export function badge(status, words) {
  return change(h("span", {}, h("span", { "aria-hidden": "true" }), h("b")), status, words);
}

/** Bring a badge up to date. @param {any} element @param {string} status @param {{tone: string, sign: string, means: string}} words */
export function change(element, status, words) {
  set(element, { class: `badge ${words.tone}`, title: words.means || null });
  say(element.firstChild, words.sign);
  say(element.lastChild, status);
  return element;
}
