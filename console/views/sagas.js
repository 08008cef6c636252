// All sagas, the newest first: filtered by status, label and name, up to date, and older ones on demand.

import { showStanding } from "../announce.js";
import { query } from "../api.js";
import { badge, change } from "../badge.js";
import { fill, h, keep, say, set } from "../dom.js";
import { keepAsking } from "../live.js";
import { address, note } from "../router.js";
import { fromNow, span, tellTime, when } from "../time.js";
import { SAGA_STATUSES, ended, sagaWords, spoken } from "../words.js";
import { label } from "./saga.js";

const PAGE = 50;
const BEAT = 1500; // ms between two looks
const OLDER_BEAT = 8; // looks between two at the older pages

/** @param {import("../main.js").Visit} visit */
export async function showSagas({ api, main, place, signal }) {
  document.title = "Sagas · skysaga";
  const view = new SagasView(place.parameters);
  fill(main, view.element);
  let beat = 0;
  await keepAsking(
    signal,
    async () => {
      const { asked } = view;
      const whole = beat++ % OLDER_BEAT === 0;
      for (const [number, cursor] of [...view.cursors].entries()) {
        if (number > 0 && !whole && view.pages[number]) continue;
        const path = `sagas${query({ ...asked, limit: PAGE, cursor })}`;
        const page = view.pages[number] ? await api.changed(path, signal) : await api.get(path, signal);
        if (view.asked !== asked) return 0; // other filters since
        if (page) view.take(number, page);
      }
      view.draw();
      return BEAT;
    },
    showStanding,
    view.nudge,
  );
}

class SagasView {
  constructor(parameters) {
    this.nudge = new EventTarget();
    this.asked = { status: "unknown", label: "" };
    this.status = h("select", { name: "status" }, h("option", { value: "" }, "any"), SAGA_STATUSES.map((it) => h("option", { value: it }, spoken(it))));
    this.label = h("input", { type: "text", name: "label", placeholder: "team=payments", size: 16, autocomplete: "off", spellcheck: "false" });
    this.name = h("input", { type: "search", name: "name", placeholder: "part of it", size: 16, autocomplete: "off", spellcheck: "false" });
    this.status.value = parameters.get("status") ?? "";
    this.label.value = parameters.get("label") ?? "";
    this.name.value = parameters.get("name") ?? "";
    this.rows = h("tbody");
    this.count = h("p", { class: "count" }, "Loading…");
    this.older = h("button", { type: "button", hidden: true, on: { click: () => this.more() } }, "Older");
    const columns = ["Status", "Name", "Id", "Labels", "Began", "Took", "By"];
    const table = h("table", { class: "sagas" }, h("thead", {}, h("tr", {}, columns.map((it) => h("th", { scope: "col" }, it)))), this.rows);
    const filters = h(
      "form",
      { class: "filters", role: "search", on: { submit: (event) => { event.preventDefault(); this.ask(); }, change: () => this.ask(), input: () => this.narrow() } },
      field("Status", this.status), field("Label", this.label), field("Name", this.name),
    );
    this.element = h(
      "article",
      {},
      h("div", { class: "title" }, h("h1", { tabindex: "-1" }, "Sagas"), filters),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Sagas" }, table),
      h("div", { class: "more" }, this.count, this.older),
    );
    this.ask();
  }

  /** Begin anew with the filters as they are. */
  ask() {
    const text = this.label.value.trim();
    const wrong = text !== "" && !text.includes("=");
    this.label.setCustomValidity(wrong ? "A label is KEY=VALUE." : "");
    if (wrong) return void this.label.reportValidity();
    if (this.asked.status === this.status.value && this.asked.label === text) return;
    this.asked = { status: this.status.value, label: text };
    /** @type {(string | null)[]} */
    this.cursors = [null];
    /** @type {any[]} */
    this.pages = [];
    this.remember();
    this.nudge.dispatchEvent(new Event("nudge"));
  }

  /** Show those of the given name only. */
  narrow() {
    this.remember();
    if (this.pages.length) this.draw();
  }

  remember() {
    note(address("sagas", { ...this.asked, name: this.name.value }));
  }

  more() {
    const next = this.pages.at(-1)?.next_cursor;
    if (!next || this.cursors.includes(next)) return;
    this.cursors.push(next);
    this.nudge.dispatchEvent(new Event("nudge"));
  }

  /** Take a page; those that follow it begin where it ends now. */
  take(number, page) {
    this.pages[number] = page;
    if (number + 1 < this.cursors.length && page.next_cursor) this.cursors[number + 1] = page.next_cursor;
  }

  draw() {
    const all = [...new Map(this.pages.flatMap((it) => it.items).map((it) => [it.id, it])).values()];
    const wanted = this.name.value.trim().toLowerCase();
    const shown = all.filter((it) => it.name.includes(wanted) || it.id.includes(wanted));
    keep(this.rows, shown, (it) => it.id, row, drawRow);
    const filtered = this.asked.status || this.asked.label || wanted;
    const more = this.pages.at(-1)?.next_cursor;
    say(this.count, all.length ? `${shown.length === all.length ? all.length : `${shown.length} of ${all.length}`} shown` : filtered ? "None is like that." : "There is no saga yet. `skysaga apply FILE` submits one.");
    const focused = document.activeElement === this.older;
    this.older.hidden = !more;
    if (focused && !more) this.element.querySelector("h1").focus();
  }
}

function row(it) {
  const name = h("a", { href: address(`sagas/${it.id}`) }, it.name);
  return h("tr", {}, h("td", {}, badge(it.status, sagaWords(it.status))), h("th", { scope: "row" }, name), h("td", {}, h("code", {}, it.id)), h("td", {}, Object.entries(it.labels).map(([key, value]) => label(key, value))), h("td", {}, when(it.created_at, true)), h("td", { class: "number" }), h("td", { class: "who" }, h("code", { title: it.caller }, it.caller.split(/[:/]/).at(-1))));
}

function drawRow(element, it) {
  const [status, , , , began, took] = element.children;
  change(status.firstChild, it.status, sagaWords(it.status));
  tellTime(began.firstChild, it.created_at, true);
  const until = it.finished_at ?? (ended(it.status) ? it.created_at : new Date().toISOString());
  say(took, span(new Date(until).getTime() - new Date(it.created_at).getTime()));
  set(took, { title: it.expires_at && it.status === "COMMITTED" ? `expires ${fromNow(it.expires_at)}` : null });
}

function field(name, control) {
  return h("label", {}, h("span", {}, name), control);
}
