// Asking before something is done: what will happen, and a way back. Esc is the way back, too.

import { announce } from "./announce.js";
import { fill, h } from "./dom.js";
import { problemNotice } from "./notice.js";

/**
 * Ask, and do it when told to; what the API says against it is shown where it was asked.
 * @param {{title: string, says: any[], action: string, danger?: boolean, type?: string, perform: () => Promise<string>}} question
 * `type` is what has to be typed first; `perform` gives what to say when it is done.
 */
export function confirm({ title, says, action, danger = false, type, perform }) {
  const failed = h("div");
  const go = h("button", { type: "submit", class: danger ? "danger" : "primary", disabled: Boolean(type) }, action);
  const back = h("button", { type: "button", autofocus: !type, on: { click: () => dialog.close() } }, "Back");
  const typed = type && h("input", { type: "text", autocomplete: "off", spellcheck: "false", autofocus: true, on: { input: () => (go.disabled = typed.value !== type) } });
  const field = type && h("label", { class: "typed" }, h("span", {}, "Type ", h("code", {}, type), " to go on"), typed);
  const submit = async (event) => {
    event.preventDefault();
    if (go.disabled) return;
    go.disabled = true;
    fill(failed);
    try {
      const done = await perform();
      dialog.close();
      announce(done);
    } catch (error) {
      fill(failed, problemNotice(error));
      go.disabled = false;
    }
  };
  const heading = h("h2", { id: "dialog-title" }, title);
  const form = h("form", { on: { submit } }, heading, says, field, failed, h("div", { class: "actions" }, back, go));
  const dialog = h("dialog", { "aria-labelledby": "dialog-title", on: { close: () => gone(dialog) } }, form);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** The focus goes back to where it came from; where that is no longer there, to the heading. */
function gone(dialog) {
  dialog.remove();
  if (document.activeElement === document.body) document.querySelector("h1")?.focus();
}
