// What things cost: by day and by group, in each currency by itself, with the freshness of every source.

import { Problem, query } from "../api.js";
import { badge } from "../badge.js";
import { dayChart } from "../charts.js";
import { fill, h } from "../dom.js";
import { pause } from "../live.js";
import { exact, money, roughly } from "../money.js";
import { notice, problemNotice } from "../notice.js";
import { address, note } from "../router.js";
import { when } from "../time.js";

const GROUPS = { provider: "Provider", service: "Service", saga: "Saga", account: "Account", region: "Region", source: "Source" };
const SPANS = { 7: "7 days", 14: "14 days", 30: "30 days", 90: "90 days" };
const COLOURS = 6; // the others share one
const LINES = 1000;
const MOST_PAGES = 20;

/** @param {import("../main.js").Visit} visit */
export async function showCosts({ api, main, place, signal }) {
  document.title = "Costs · skysaga";
  const by = choice("by", GROUPS, place.parameters.get("by") ?? "service");
  const days = choice("days", SPANS, place.parameters.get("days") ?? "14");
  const result = h("div", { class: "report" });
  let asking = new AbortController();
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const mine = AbortSignal.any([signal, asking.signal]);
    note(address("costs", { by: by.value, days: days.value }));
    fill(result, h("p", { class: "quiet", role: "status" }, "Counting…"));
    try {
      const answer = await everything(api, by.value, Number(days.value), mine);
      fill(result, report(answer, by.value));
    } catch (error) {
      if (!mine.aborted) fill(result, refusal(error));
    }
  };
  const form = h("form", { class: "filters", on: { change: ask, submit: (event) => event.preventDefault() } }, field("By", by), field("Over", days));
  fill(main, h("article", {}, h("div", { class: "title" }, h("h1", { tabindex: "-1" }, "Costs"), form), result));
  await ask();
}

/** Every line of the answer, page by page; what takes longer than a call may take is asked for again. */
async function everything(api, by, days, signal) {
  const today = new Date();
  const from = new Date(today.getTime() - (days - 1) * 86_400_000);
  const asked = { group_by: `${by},day`, from: day(from), to: day(today), limit: LINES };
  const items = [];
  let cursor = "";
  for (let pages = 0; ; pages += 1) {
    const page = await patiently(() => api.get(`costs${query({ ...asked, cursor })}`, signal), signal);
    items.push(...page.items);
    cursor = page.next_cursor;
    if (!cursor || pages + 1 === MOST_PAGES) return { ...page, items, cut: Boolean(cursor) };
  }
}

async function patiently(call, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      const again = error instanceof Problem && error.passing && error.retryAfter > 0 && tries < 10;
      if (!again || signal.aborted) throw error;
      await pause(error.retryAfter * 1000, signal);
      signal.throwIfAborted();
    }
  }
}

function report(answer, by) {
  const late = answer.freshness.filter((it) => it.late);
  const currencies = [...new Set(answer.items.map((it) => it.currency))].sort();
  return [
    late.length > 0 && notice("wait", `Late: ${late.map((it) => it.source).join(", ")}`, h("p", {}, "Its last hours are missing, and look cheap. See the sources below.")),
    answer.cut && notice("wait", `Only the first ${answer.items.length} lines are counted`, h("p", {}, "Choose fewer days, or another group.")),
    answer.costs === "own" && h("p", { class: "quiet" }, "Of your own sagas."),
    currencies.length === 0 && h("p", {}, "Nothing is known to have cost anything in these days."),
    ...currencies.map((it) => currency(it, answer, by)),
    h("section", {}, h("h2", {}, "Sources"), freshness(answer.freshness)),
  ];
}

function currency(name, answer, by) {
  const groups = grouped(answer.items.filter((it) => it.currency === name), by);
  const total = groups.reduce((sum, it) => sum + it.total, 0n);
  const most = Math.max(...groups.map((it) => Math.abs(roughly(it.total))), 0) || 1;
  const drawn = groups.slice(0, COLOURS).map((it, index) => ({ ...it, color: index + 1 }));
  const rest = groups.slice(COLOURS);
  if (rest.length) drawn.push({ ...together(rest), color: 0 });
  const rows = groups.map((it, index) => {
    const color = index < COLOURS ? index + 1 : 0;
    const share = h("span", { class: `share c${color}` });
    share.style.width = `${((100 * Math.abs(roughly(it.total))) / most).toFixed(1)}%`;
    const cell = by === "saga" && it.key ? h("a", { href: address(`sagas/${it.key}`) }, it.key) : it.name;
    return h("tr", {}, h("th", { scope: "row" }, h("span", { class: `swatch c${color}`, "aria-hidden": "true" }), cell), h("td", { class: "number" }, money(it.total)), h("td", { class: "wide", "aria-hidden": "true" }, share));
  });
  const foot = h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "In all"), h("td", { class: "number" }, money(total)), h("td")));
  const head = h("thead", {}, h("tr", {}, h("th", { scope: "col" }, GROUPS[by]), h("th", { scope: "col", class: "number" }, `Billed, ${name}`), h("td")));
  const chart = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Costs by day in ${name}` }, dayChart(daysOf(answer), drawn, name, innerWidth));
  return h("section", { class: "currency", "aria-label": name }, h("h2", {}, `${money(total)} ${name}`), chart, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table in ${name}` }, h("table", { class: "costs" }, head, h("tbody", {}, rows), foot)));
}

/** The groups of one currency, what costs most first. */
function grouped(items, by) {
  /** @type {Map<string | null, {key: string | null, name: string, total: bigint, amounts: Map<string, bigint>}>} */
  const found = new Map();
  for (const it of items) {
    const key = it.keys[by];
    const group = found.get(key) ?? { key, name: key ?? `(no ${by})`, total: 0n, amounts: new Map() };
    const amount = exact(it.billed);
    group.total += amount;
    group.amounts.set(it.keys.day, (group.amounts.get(it.keys.day) ?? 0n) + amount);
    found.set(key, group);
  }
  return [...found.values()].sort((a, b) => (a.total === b.total ? a.name.localeCompare(b.name) : a.total > b.total ? -1 : 1));
}

function together(groups) {
  const amounts = new Map();
  for (const it of groups) for (const [at, amount] of it.amounts) amounts.set(at, (amounts.get(at) ?? 0n) + amount);
  return { key: null, name: `${groups.length} others`, total: groups.reduce((sum, it) => sum + it.total, 0n), amounts };
}

function daysOf(answer) {
  const days = [];
  for (let at = Date.parse(answer.from); at <= Date.parse(answer.to); at += 86_400_000) days.push(day(new Date(at)));
  return days;
}

function freshness(sources) {
  const rows = sources.map((it) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, it.source),
      h("td", {}, it.late ? badge("late", { tone: "bad", sign: "!", means: "hours of it have been waiting too long to be read" }) : badge("on time", { tone: "good", sign: "●", means: "nothing waits to be read longer than it should" })),
      h("td", {}, [it.provider, it.account].filter(Boolean).join(" · ")),
      h("td", {}, when(it.data_through)),
      h("td", {}, when(it.closed_through)),
      h("td", {}, when(it.collected_at)),
      h("td", { class: "number" }, String(it.windows_behind)),
      h("td", { class: `long${it.failure ? " bad" : ""}` }, it.failure ? [it.failure.error, it.failure.message].filter(Boolean).join(": ") : "–"),
    ),
  );
  const columns = ["Source", "State", "Of", "Known until", "Final until", "Read", "Hours to read", "Failure"];
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Sources" }, h("table", {}, h("thead", {}, h("tr", {}, columns.map((it) => h("th", { scope: "col" }, it)))), h("tbody", {}, rows)));
}

function refusal(error) {
  if (error instanceof Problem && error.status === 404) {
    return notice("plan", "This deployment collects no costs", h("p", {}, "Declare sources of billing, and it will: docs/billing.md says how."));
  }
  return problemNotice(error);
}

function choice(name, options, chosen) {
  const select = h("select", { name }, Object.entries(options).map(([value, words]) => h("option", { value }, words)));
  if (chosen in options) select.value = chosen;
  return select;
}

function field(name, control) {
  return h("label", {}, h("span", {}, name), control);
}

function day(date) {
  return date.toISOString().slice(0, 10);
}
