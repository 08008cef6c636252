// A saga's events as what lasted how long: a row of spans for the saga and for each of its resources.

/**
 * @typedef {{seq: number, at: string, resource: string | null, status: string, message: string | null, step?: string | null, error?: string | null}} SagaEvent
 * @typedef {"rest" | "ask" | "wait" | "again"} Phase
 * @typedef {{seq: number, from: number, to: number, status: string, phase: Phase, message: string | null, open: boolean}} Span
 * @typedef {{seq: number, at: number, kind: "fault" | "failure" | "note", text: string}} Mark
 * @typedef {{id: string | null, spans: Span[], marks: Mark[]}} Row
 */

const MOVING = new Set(["CREATING", "DELETING"]);
const FAILED = new Set(["FAILED", "STUCK"]);

const MOST_KEPT = 1000; // events: thousands of resources have more than anybody looks at

/** The events of one saga in their order, each once, however often a page of them is received. */
export class History {
  constructor() {
    /** @type {SagaEvent[]} */
    this.events = [];
    /** @type {Set<number>} */
    this.seen = new Set();
    this.cursor = "0";
  }

  /** Take what is new of a page of events, after which `cursor` stands; gives just that. @param {SagaEvent[]} items @param {string} cursor */
  add(items, cursor) {
    const news = items.filter((it) => !this.seen.has(it.seq));
    for (const it of news) this.seen.add(it.seq);
    this.events.push(...news);
    this.events.splice(0, this.events.length - MOST_KEPT);
    this.cursor = cursor;
    return news;
  }

  /** Whether it has all of a saga's own events up to a version: the first number of a cursor counts those. @param {number} version */
  reaches(version) {
    return Number(this.cursor.split(".")[0]) >= version;
  }

  /** When it began. @returns {number | null} */
  get began() {
    return this.events.length ? time(this.events[0].at) : null;
  }

  /** When the newest event was. @returns {number | null} */
  get latest() {
    return this.events.length ? time(/** @type {SagaEvent} */ (this.events.at(-1)).at) : null;
  }

  /** The saga's row and those of the resources named, until `now`. @param {string[]} ids @param {number} now @returns {Row[]} */
  rows(ids, now) {
    return [this.row(null, now), ...ids.map((id) => this.row(id, now))];
  }

  /** @param {string | null} id @param {number} now @returns {Row} */
  row(id, now) {
    const own = this.events.filter((it) => it.resource === id);
    const spans = id !== null && this.began !== null ? [span({ seq: 0, at: this.events[0].at, status: "PLANNED" })] : [];
    const marks = [];
    for (const event of own) {
      const before = spans.at(-1);
      const at = time(event.at);
      if (event.error) marks.push({ seq: event.seq, at, kind: "fault", text: `${event.step ?? "step"}: ${event.message ?? event.error}` });
      else if (FAILED.has(event.status)) marks.push({ seq: event.seq, at, kind: "failure", text: event.message ?? event.status });
      else if (id === null && event.message) marks.push({ seq: event.seq, at, kind: "note", text: event.message });
      const same = before && before.status === event.status && !MOVING.has(event.status);
      if (same) continue;
      if (before) before.to = at;
      spans.push(span(event));
    }
    const last = spans.at(-1);
    if (last) {
      last.to = Math.max(now, last.from);
      last.open = true;
    }
    return { id, spans: spans.filter((it) => it.open || it.to > it.from), marks };
  }
}

/** What a span is, in words. @param {Span} it */
export function inWords(it) {
  if (it.phase === "again") return "tried again after a fault";
  if (it.phase === "wait") return it.message ?? "waiting";
  if (it.phase === "ask") return it.status === "CREATING" ? "its cloud is being asked for it" : "its cloud is being asked to remove it";
  return it.message ?? "";
}

/** @param {{seq: number, at: string, status: string, message?: string | null, error?: string | null}} event @returns {Span} */
function span({ seq, at, status, message = null, error = null }) {
  const phase = MOVING.has(status) ? (error ? "again" : message ? "wait" : "ask") : "rest";
  return { seq, from: time(at), to: time(at), status, phase, message, open: false };
}

function time(at) {
  return new Date(at).getTime();
}
