// The graph: waves from left to right, an arrow from what is needed to what needs it. While things are removed, the
// arrows are turned round: what needed something goes before it.

import { keep, say, set, svg } from "./dom.js";
import { resourceWords } from "./words.js";

const WIDTH = 176;
const HEIGHT = 46;
const GAP_X = 56;
const GAP_Y = 10;
const TOP = 26;
const MOST_ROWS = 10;
const MOST_LETTERS = 20;

/** A graph that `draw` brings up to date. A resource is a button; `choose` is called with its id. */
export class Graph {
  /** @param {(id: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.heads = svg("g", { class: "heads" });
    this.edges = svg("g", { class: "edges" });
    this.nodes = svg("g", { class: "nodes" });
    this.element = svg("svg", { role: "group", "aria-label": "Resources and what they depend on" }, arrow(), this.heads, this.edges, this.nodes);
  }

  /** @param {any[]} resources @param {string[][]} waves @param {boolean} back whether they are being, or were, removed @param {string | null} chosen */
  draw(resources, waves, back, chosen) {
    const { places, heads, width, height } = layout(resources, waves);
    set(this.element, { width, height, viewBox: `0 0 ${width} ${height}`, class: `graph${back ? " back" : ""}` });
    keep(this.heads, heads, (it) => String(it.wave), () => svg("text", { y: 12 }), (element, it) => {
      set(element, { x: it.x });
      say(element, heading(it.wave, heads.length, back));
    });
    keep(this.edges, edges(resources, places), (it) => it.key, () => svg("path"), (element, it) => {
      set(element, { d: it.d, class: it.done ? "done" : "", "marker-end": back ? null : "url(#arrow)", "marker-start": back ? "url(#arrow)" : null });
    });
    keep(this.nodes, resources, (it) => it.id, (it) => this.node(it.id), (element, it) => {
      const place = places.get(it.id);
      if (place) drawNode(element, it, place, it.id === chosen);
    });
  }

  node(id) {
    const press = (event) => {
      if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.choose(id);
    };
    return svg(
      "g",
      { role: "button", tabindex: "0", on: { click: press, keydown: press } },
      svg("rect", { width: WIDTH, height: HEIGHT, rx: 6 }),
      svg("rect", { class: "edge", width: 4, height: HEIGHT, rx: 2 }),
      svg("text", { class: "name", x: 14, y: 19 }),
      " ",
      svg("text", { class: "about", x: WIDTH - 10, y: 37, "text-anchor": "end" }),
      " ",
      svg("text", { class: "status", x: 14, y: 37 }),
      " ",
      svg("text", { class: "faults", x: WIDTH - 10, y: 19, "text-anchor": "end" }),
    );
  }
}

function drawNode(element, it, { x, y }, chosen) {
  const words = resourceWords(it.status);
  const [, , name, about, status, faults] = element.children;
  set(element, {
    transform: `translate(${x} ${y})`,
    class: `node ${words.tone}`,
    "data-status": it.status,
    "aria-pressed": String(chosen),
  });
  say(name, it.id.length > MOST_LETTERS ? `${it.id.slice(0, MOST_LETTERS - 1)}…` : it.id);
  say(about, it.provider);
  say(status, `${words.sign} ${it.status}`);
  say(faults, it.faults ? `↻ ${it.faults}` : "");
  const read = [name, about, status, faults].map((shown) => shown.textContent).filter(Boolean).join(" ");
  set(element, { "aria-label": `${read}, ${it.kind}${it.error ? `, ${it.error}` : ""}` });
}

/** Where everything is: a column for each wave, several for a long one; what belongs together at about one height. */
function layout(resources, waves) {
  const byId = new Map(resources.map((it) => [it.id, it]));
  const places = new Map();
  const heads = [];
  let column = 0;
  let rows = 1;
  waves.forEach((wave, number) => {
    heads.push({ wave: number, x: column * (WIDTH + GAP_X) + 1 });
    const middle = (id) => {
      const needed = (byId.get(id)?.depends_on ?? []).map((it) => places.get(it)?.y).filter((it) => it !== undefined);
      return needed.length ? needed.reduce((a, b) => a + b) / needed.length : Infinity;
    };
    const order = wave.map((id, index) => ({ id, index, middle: middle(id) }));
    order.sort((a, b) => (a.middle === b.middle ? a.index - b.index : a.middle - b.middle));
    order.forEach(({ id }, index) => {
      places.set(id, { x: (column + Math.floor(index / MOST_ROWS)) * (WIDTH + GAP_X) + 1, y: TOP + (index % MOST_ROWS) * (HEIGHT + GAP_Y) });
    });
    column += Math.max(1, Math.ceil(wave.length / MOST_ROWS));
    rows = Math.max(rows, Math.min(MOST_ROWS, wave.length));
  });
  return { places, heads, width: column * (WIDTH + GAP_X) - GAP_X + 2, height: TOP + rows * (HEIGHT + GAP_Y) - GAP_Y + 2 };
}

function edges(resources, places) {
  return resources.flatMap((it) =>
    it.depends_on.flatMap((needed) => {
      const [from, to] = [places.get(needed), places.get(it.id)];
      if (!from || !to) return [];
      const [x1, y1, x2, y2] = [from.x + WIDTH + 5, from.y + HEIGHT / 2, to.x - 5, to.y + HEIGHT / 2];
      const bend = Math.max(20, (x2 - x1) / 2);
      return [{ key: `${needed} ${it.id}`, done: it.status === "ABSENT", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }];
    }),
  );
}

function heading(wave, count, back) {
  if (!back || count === 1) return `Wave ${wave + 1}`;
  if (wave === count - 1) return `Wave ${wave + 1} · goes first`;
  return wave === 0 ? "Wave 1 · goes last" : `Wave ${wave + 1}`;
}

function arrow() {
  const head = svg("path", { d: "M0 0L8 4L0 8z" });
  return svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, head));
}
