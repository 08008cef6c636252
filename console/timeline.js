// The timeline: a row for each resource on one axis, its spans side by side, faults as marks on them.

import { axisOf } from "./axis.js";
import { h, keep, say, set } from "./dom.js";
import { inWords } from "./history.js";
import { localTime, span as inTime, utc } from "./time.js";
import { resourceWords, sagaWords, spoken } from "./words.js";

/** A timeline that `draw` brings up to date. One row is one stop of the Tab key; arrow keys go along it. */
export class Timeline {
  constructor() {
    this.ticks = h("div", { class: "ticks", "aria-hidden": "true" });
    this.rows = h("div", { class: "rows", on: { keydown: (event) => along(event) } });
    this.details = h("p", { class: "details" }, USAGE);
    this.element = h("div", { class: "timeline" }, h("div", { class: "axis" }, this.ticks), this.rows, this.details, legend());
    for (const event of ["pointerover", "focusin"]) this.rows.addEventListener(event, (it) => this.explain(it.target));
  }

  /**
   * @param {import("./history.js").History} history @param {{id: string, status: string, provider: string}[]} resources
   * @param {{status: string, busy: boolean}} saga @param {number} now
   */
  draw(history, resources, saga, now) {
    const rows = history.rows(resources.map((it) => it.id), now);
    const moments = [...history.events.map((it) => new Date(it.at).getTime()), now];
    const axis = axisOf(moments, saga.busy);
    keep(this.ticks, [...axis.ticks, ...axis.folds.map((it) => ({ at: it.from, label: `⋯ ${it.label}`, fold: it }))], (it) => it.label, tick, moveTick);
    const byId = new Map(resources.map((it) => [it.id, it]));
    keep(
      this.rows,
      rows,
      (it) => it.id ?? "",
      () => h("div", { class: "row" }, h("div", { class: "who" }, h("b"), h("span")), h("div", { class: "track", role: "group" })),
      (element, row) => {
        const resource = byId.get(row.id ?? "");
        say(element.firstChild.firstChild, row.id ?? "saga");
        say(element.firstChild.lastChild, spoken(resource?.status ?? saga.status));
        set(element, { class: `row${row.id === null ? " whole" : ""}`, "data-status": resource?.status ?? saga.status });
        set(element.lastChild, { "aria-label": `Timeline of ${row.id ?? "the saga"}` });
        drawTrack(element.lastChild, row, axis);
      },
    );
  }

  /** @param {any} target */
  explain(target) {
    const element = target.closest?.("[data-about]");
    if (element) say(this.details, element.dataset.about);
  }
}

const USAGE = "Point at a span or a mark, or reach it with Tab and the arrow keys, to read what it is.";

function drawTrack(track, row, axis) {
  const spans = row.spans.map((it) => ({ key: `s${it.seq}`, span: it }));
  const marks = row.marks.map((it) => ({ key: `m${it.seq}`, mark: it }));
  const items = [...spans, ...marks].sort((a, b) => seqOf(a) - seqOf(b));
  keep(
    track,
    items,
    (it) => it.key,
    () => h("button", { type: "button", tabindex: "-1" }),
    (element, it) => (it.span ? drawSpan(element, row.id, it.span, axis) : drawMark(element, row.id, it.mark, axis)),
  );
  if (!track.querySelector('[tabindex="0"]')) track.firstElementChild?.setAttribute("tabindex", "0");
}

function drawSpan(element, id, it, axis) {
  const words = id === null ? sagaWords(it.status) : resourceWords(it.status);
  const from = axis.place(it.from);
  const to = axis.place(it.to);
  const more = inWords(it);
  const about = `${id ?? "saga"} · ${it.status}${more ? ` · ${more}` : ""} · ${inTime(it.to - it.from)}${it.open && words.tone !== "gone" ? " so far" : ""} · from ${localTime(it.from, true)} (${utc(new Date(it.from).toISOString())})`;
  set(element, { class: `span ${words.tone} ${it.phase}`, "aria-label": about, "data-about": about, "data-status": it.status });
  element.style.left = `${from.toFixed(3)}%`;
  element.style.width = `${Math.max(0, to - from).toFixed(3)}%`;
}

function drawMark(element, id, it, axis) {
  const what = { fault: "retry", failure: "failed", note: "note" }[it.kind];
  const about = `${id ?? "saga"} · ${what} · ${it.text} · ${localTime(it.at, true)} (${utc(new Date(it.at).toISOString())})`;
  set(element, { class: `mark ${it.kind}`, "aria-label": about, "data-about": about });
  say(element, { fault: "↻", failure: "×", note: "i" }[it.kind]);
  element.style.left = `${axis.place(it.at).toFixed(3)}%`;
}

/** What the textures mean; the colours are those of the statuses everywhere. */
function legend() {
  const kinds = [["work ask", "a cloud is asked"], ["work wait", "waiting for it"], ["work again", "waiting to try again"], ["good rest", "ready"], ["undo ask", "removal is asked for"], ["undo wait", "until it is gone for sure"]];
  return h("p", { class: "legend" }, kinds.map(([kind, words]) => h("span", {}, h("i", { class: `span ${kind}` }), words)));
}

function tick(it) {
  return h("span", { class: it.fold ? "fold" : "" }, it.label);
}

function moveTick(element, it) {
  element.style.left = `${it.at.toFixed(3)}%`;
}

/** @param {KeyboardEvent} event */
function along(event) {
  const here = /** @type {HTMLElement} */ (event.target);
  const items = /** @type {HTMLElement[]} */ ([...(here.parentElement?.children ?? [])]);
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -items.length, End: items.length }[event.key];
  if (!step || !here.matches(".track > button")) return;
  event.preventDefault();
  const next = items[Math.min(items.length - 1, Math.max(0, items.indexOf(here) + step))];
  set(here, { tabindex: "-1" });
  set(next, { tabindex: "0" });
  next.focus();
}

function seqOf(it) {
  return it.span?.seq ?? it.mark.seq + 0.5;
}
