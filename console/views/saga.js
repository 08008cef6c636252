// One saga, as it happens: what it is, its graph, its timeline, its resources, its events, and what can be done to it.

import { announce, showStanding } from "../announce.js";
import { badge, change } from "../badge.js";
import { confirm } from "../dialog.js";
import { fill, h, keep, say, set } from "../dom.js";
import { Graph } from "../graph.js";
import { History } from "../history.js";
import { A_PAGE, counted, isLarge, shownOf, some } from "../large.js";
import { keepAsking } from "../live.js";
import { currencies, money } from "../money.js";
import { notice } from "../notice.js";
import { ORDERS, carryOut } from "../orders.js";
import { address } from "../router.js";
import { fromNow, span, tellTime, when } from "../time.js";
import { Timeline } from "../timeline.js";
import { ended, resourceWords, sagaWords, undoing } from "../words.js";

const WAIT = 20; // seconds of a long poll
const BREATH = 1000; // ms between two looks at a large saga, of which there is always something new
const REST = 1500; // ms between two looks at a saga that has ended: its long poll returns at once
const STALE = 60_000; // ms after which an ended saga is read again, for its cost
const MOVE = 500; // ms between two drawings of what is under way
const FACTS = 15_000; // ms between two drawings of what tells how long ago something was
const BUSY = new Set(["CREATING", "DELETING"]);
const REMOVED = new Set(["DELETING", "ABSENT", "STUCK"]);

/** @param {import("../main.js").Visit} visit */
export async function showSaga({ api, main, place, signal }) {
  const id = place.path[1];
  const view = new SagaView(api, id);
  fill(main, view.element);
  document.title = `${id} · skysaga`;
  const moving = setInterval(() => view.move(), MOVE);
  signal.addEventListener("abort", () => clearInterval(moving));
  signal.addEventListener("abort", () => view.dialog?.close());
  let read = 0;
  let first = true;
  await keepAsking(
    signal,
    async () => {
      const resting = first || (view.saga && ended(view.saga.status));
      const page = await api.events(id, view.history.cursor, resting ? 0 : WAIT, signal);
      if (first || page.items.length || view.turned || Date.now() - read > STALE) {
        const { cursor } = view;
        const saga = await api.saga(id, signal, { limit: A_PAGE, cursor });
        if (cursor !== view.cursor) return 0; // somebody has turned the page meanwhile
        read = Date.now();
        view.turned = false;
        if (first && isLarge(saga)) view.take([], saga.events_cursor, saga, first);
        else view.take(page.items, page.next_cursor, saga, first);
        first = false;
      }
      if (ended(view.saga.status) && view.history.reaches(view.saga.version)) return REST;
      return isLarge(view.saga) ? BREATH : 0;
    },
    showStanding,
    view.nudge,
  );
}

class SagaView {
  constructor(api, id) {
    this.api = api;
    this.id = id;
    this.saga = null;
    this.chosen = null;
    this.cursor = null;
    this.turned = false;
    this.history = new History();
    this.nudge = new EventTarget();
    this.dialog = null;
    this.factsAt = 0;
    this.name = h("h1", { tabindex: "-1" }, id);
    this.badge = badge("", sagaWords(""));
    this.facts = h("dl", { class: "facts" });
    this.notices = h("div", { class: "notices" });
    this.orders = h("div", { class: "orders" }, ORDERS.map((it) => this.button(it)));
    this.graph = new Graph((chosen) => this.choose(chosen));
    this.timeline = new Timeline();
    this.about = h("div", { class: "about", hidden: true });
    this.resources = h("tbody");
    this.which = h("p", { class: "which" });
    this.pages = h("div", { class: "pages", hidden: true }, this.which, this.page("First", () => null), this.page("Next", () => this.saga.next_cursor));
    this.leftOut = h("p", { class: "left-out", hidden: true });
    this.events = h("tbody");
    this.graphSection = section("Graph", h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Graph" }, this.graph.element), this.about);
    this.timelineSection = section("Timeline", this.timeline.element);
    this.element = h(
      "article",
      {},
      h("p", { class: "crumbs" }, h("a", { href: address("sagas") }, "Sagas"), " / ", h("code", {}, id)),
      h("div", { class: "title" }, h("div", {}, this.name, this.badge), this.orders),
      this.facts,
      this.notices,
      this.leftOut,
      h(
        "div",
        { class: "beside" },
        this.graphSection,
        section("Resources", this.pages, table(["Resource", "Status", "Where", "Ready after", "In the cloud, or why not"], this.resources)),
      ),
      this.timelineSection,
      section("Events", table(["#", "At", "Of", "Status", "What"], this.events, "events")),
    );
  }

  /** Take what is new. @param {any[]} events @param {string} cursor after these @param {any} saga @param {boolean} first */
  take(events, cursor, saga, first) {
    const before = this.saga?.status;
    const news = this.history.add(events, cursor);
    this.saga = saga;
    if (!first) this.tell(before, news);
    this.draw();
  }

  /** Draw everything that follows from the saga and its events. */
  draw() {
    const { saga } = this;
    document.title = `${saga.name}: ${saga.status} · skysaga`;
    say(this.name, saga.name);
    change(this.badge, saga.status, sagaWords(saga.status));
    this.drawFacts();
    this.drawNotices();
    this.drawOrders();
    this.drawResources();
    this.drawEvents();
    this.drawAbout();
    this.drawPages();
    if (!isLarge(saga)) this.graph.draw(saga.resources, wavesOf(saga), goesBack(saga), this.chosen);
    this.move(true);
  }

  /** Let time pass: spans that are open grow. */
  move(whole = false) {
    const { saga, history } = this;
    if (!saga) return;
    if (!whole && Date.now() - this.factsAt > FACTS) this.drawFacts();
    if ((!whole && ended(saga.status)) || isLarge(saga)) return;
    const now = ended(saga.status) ? (history.latest ?? 0) : Math.max(Date.now(), history.latest ?? 0);
    this.timeline.draw(history, inOrder(saga), { status: saga.status, busy: saga.resources.some((it) => BUSY.has(it.status)) }, now);
  }

  drawFacts() {
    const { saga } = this;
    this.factsAt = Date.now();
    const took = saga.finished_at ? ms(saga.created_at, saga.finished_at) : null;
    const facts = [
      ["Began", when(saga.created_at, true)],
      took === null ? null : ["Took", h("span", { title: saga.finished_at }, span(took))],
      ["By", h("code", {}, saga.caller)],
      Object.keys(saga.labels).length && ["Labels", h("span", {}, Object.entries(saga.labels).map(([key, value]) => label(key, value)))],
      saga.expires_at && ["Expires", h("span", {}, when(saga.expires_at), ended(saga.status) && saga.status !== "COMMITTED" ? null : ` (${fromNow(saga.expires_at)})`)],
      saga.approval && ["Approval", approvalOf(saga)],
      isLarge(saga) && ["Resources", h("span", {}, counted(saga))],
      saga.cost?.length && ["Cost", costOf(saga)],
    ];
    fill(this.facts, facts.map((it) => it && h("div", {}, h("dt", {}, it[0]), h("dd", {}, it[1]))));
  }

  drawNotices() {
    const { saga } = this;
    const { named: broken, more } = some(saga.resources.filter((it) => it.status === "STUCK" || it.error));
    const items = [
      saga.cancel_requested && !undoing(saga.status) && !ended(saga.status) && { key: "cancel", tone: "wait", title: "A cancel was requested: it is undone from the next step on." },
      ...broken.map((it) => ({ key: it.id, tone: "bad", title: `${it.id}: ${it.status === "STUCK" ? "could not be removed" : "failed"}`, text: it.error })),
      more > 0 && { key: "more", tone: "bad", title: `and ${more} more of those that are shown` },
    ].filter(Boolean);
    keep(this.notices, items, (it) => it.key, (it) => notice(it.tone, it.title, h("p", {})), (element, it) => {
      say(element.firstChild, it.title);
      say(element.lastChild, it.text ?? "");
      element.lastChild.hidden = !it.text;
    });
  }

  drawOrders() {
    const buttons = /** @type {HTMLElement[]} */ ([...this.orders.children]);
    const focused = buttons.find((it) => it === document.activeElement);
    ORDERS.forEach((order, index) => (buttons[index].hidden = !order.possible(this.saga)));
    // A button that is no longer there cannot keep the focus, and nobody should have to look for it.
    if (focused?.hidden) this.name.focus();
  }

  /** Of a large saga a page of resources is shown, and what cannot be drawn of so many is left out. */
  drawPages() {
    const { saga } = this;
    const large = isLarge(saga);
    for (const it of [this.graphSection, this.timelineSection]) it.hidden = large;
    for (const it of [this.pages, this.leftOut]) it.hidden = !large;
    if (!large) return;
    say(this.which, shownOf(saga));
    say(this.leftOut, "There are too many resources for a graph and a timeline. Events are those since this page was opened.");
    const [, first, next] = /** @type {HTMLButtonElement[]} */ ([...this.pages.children]);
    first.disabled = this.cursor === null;
    next.disabled = saga.next_cursor === null;
  }

  /** A button that leads to the resources after a cursor; where they cannot be had now, the next look gets them. */
  page(label, cursor) {
    const turn = async () => {
      const to = cursor();
      this.cursor = to;
      this.turned = true;
      const saga = await this.api.saga(this.id, undefined, { limit: A_PAGE, cursor: to }).catch(() => null);
      if (!saga || this.cursor !== to) return;
      this.turned = false;
      this.saga = saga;
      this.draw();
    };
    return h("button", { type: "button", on: { click: turn } }, label);
  }

  drawResources() {
    const row = () => h("tr", {}, h("th", { scope: "row" }), h("td", {}, badge("", resourceWords(""))), h("td", { class: "where" }), h("td", { class: "number" }), h("td", {}, h("span")));
    keep(this.resources, inOrder(this.saga), (it) => it.id, row, (element, it) => {
      const [name, status, where, ready, about] = element.children;
      say(name, it.id);
      change(status.firstChild, it.status, resourceWords(it.status));
      say(where, [it.provider, it.kind, it.cluster ?? it.location].filter(Boolean).join(" · "));
      say(ready, it.created_at && it.ready_at ? span(ms(it.created_at, it.ready_at)) : "–");
      say(about.firstChild, it.error ?? it.cloud_id?.split("/").at(-1) ?? "–");
      set(about, { class: `long${it.error ? " bad" : ""}`, title: it.error ?? it.cloud_id });
    });
  }

  /** The newest first: what happens now is at the top. */
  drawEvents() {
    const row = () => h("tr", {}, h("td", { class: "number" }), h("td", {}, when(null)), h("td"), h("td", {}, badge("", sagaWords(""))), h("td", { class: "long" }));
    keep(this.events, [...this.history.events].reverse(), (it) => String(it.seq), row, (element, it) => {
      if (element.dataset.seq === String(it.seq)) return;
      element.dataset.seq = String(it.seq);
      const [seq, at, of, status, what] = element.children;
      say(seq, it.seq);
      tellTime(at.firstChild, it.at, true);
      say(of, it.resource ?? "saga");
      change(status.firstChild, it.status, it.resource ? resourceWords(it.status) : sagaWords(it.status));
      say(what, [it.error && `${it.step ?? "step"}:`, it.message].filter(Boolean).join(" "));
      set(element, { class: it.error ? "fault" : it.status === "FAILED" || it.status === "STUCK" ? "failure" : it.resource ? "" : "whole" });
    });
  }

  drawAbout() {
    const it = this.saga.resources.find((resource) => resource.id === this.chosen);
    this.about.hidden = !it;
    if (!it) return;
    const facts = [
      ["Status", `${it.status}: ${resourceWords(it.status).means}`],
      ["Kind", [it.provider, it.kind].join(" · ")],
      ["Where", [it.location, it.cluster].filter(Boolean).join(" · ") || "not placed yet"],
      ["Target", it.target],
      ["Needs", it.depends_on.join(", ") || "nothing"],
      ["Cloud id", it.cloud_id],
      ["Error", it.error],
      ["Faults", it.faults || null],
      ["Asked for", it.created_at && when(it.created_at, true)],
      ["Ready", it.ready_at && when(it.ready_at, true)],
      ["Removal began", it.release_began_at && when(it.release_began_at, true)],
      ["Gone", it.gone_at && when(it.gone_at, true)],
    ];
    fill(this.about, h("h3", {}, it.id), h("dl", { class: "facts" }, facts.map(([name, value]) => value && h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
  }

  choose(id) {
    this.chosen = this.chosen === id ? null : id;
    this.draw();
  }

  /** Say what has changed to who listens. */
  tell(before, news) {
    const changes = new Map(news.filter((it) => it.resource).map((it) => [it.resource, it.error ? `meets ${it.error}` : it.status]));
    const { named, more } = some([...changes]);
    const words = named.map(([id, status]) => `${id} ${status}`);
    if (more) words.push(`and ${more} more`);
    if (before !== this.saga.status) words.unshift(`${this.saga.name} ${this.saga.status}`);
    if (words.length) announce(words.join(", "));
  }

  button(order) {
    const ask = () => {
      const seen = this.saga;
      this.dialog = confirm({
        title: order.title(seen),
        says: order.says(seen),
        action: order.action,
        danger: order.danger,
        type: order.typed ? seen.name : undefined,
        perform: async () => {
          await carryOut(this.api, order, seen);
          this.nudge.dispatchEvent(new Event("nudge"));
          return order.done;
        },
      });
    };
    return h("button", { type: "button", hidden: true, class: order.danger ? "danger" : "primary", on: { click: ask } }, order.label);
  }
}

function section(title, ...content) {
  return h("section", {}, h("h2", {}, title), ...content);
}

function table(headings, body, kind = "") {
  const head = h("thead", {}, h("tr", {}, headings.map((it) => h("th", { scope: "col" }, it))));
  return h("div", { class: `scroll ${kind && "tall"}`, tabindex: "0", role: "region", "aria-label": kind || "resources" }, h("table", { class: kind }, head, body));
}

export function label(key, value) {
  return h("span", { class: "label" }, `${key}=${value}`);
}

function approvalOf(saga) {
  const { before, approve_by, approved_by, approved_at } = saga.approval;
  if (approved_by) return h("span", {}, "by ", h("code", {}, approved_by), " ", when(approved_at));
  const wanted = `needed before ${before === "commit" ? "the commit" : "provisioning"}`;
  return h("span", {}, wanted, approve_by && !ended(saga.status) ? [", by ", when(approve_by), ` (${fromNow(approve_by)})`] : null);
}

function costOf(saga) {
  const late = saga.cost_freshness?.late_sources ?? [];
  const sums = currencies(saga.cost, (it) => it.billed);
  const words = [...sums].map(([currency, sum]) => `${money(sum)} ${currency}`).join(" + ");
  return h("span", {}, words, late.length ? h("span", { class: "warn" }, ` (late: ${late.join(", ")})`) : null);
}

function wavesOf(saga) {
  return saga.waves?.length ? saga.waves : [saga.resources.map((it) => it.id)];
}

/** Whether what was created is being removed, or was. */
function goesBack(saga) {
  return undoing(saga.status) || ["ROLLED_BACK", "RELEASED", "NEEDS_ATTENTION"].includes(saga.status) || saga.resources.some((it) => REMOVED.has(it.status));
}

/** The resources in the order of creation. */
function inOrder(saga) {
  const place = new Map(wavesOf(saga).flat().map((id, index) => [id, index]));
  return [...saga.resources].sort((a, b) => place.get(a.id) - place.get(b.id));
}

function ms(from, to) {
  return new Date(to).getTime() - new Date(from).getTime();
}
