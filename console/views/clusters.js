// Private clusters: what is claimed of each, what its hosts say is in use, and how old that is.

import { showStanding } from "../announce.js";
import { badge, change } from "../badge.js";
import { bar } from "../bars.js";
import { fill, h, keep, say } from "../dom.js";
import { keepAsking } from "../live.js";
import { span, tellTime, when } from "../time.js";
import { label } from "./saga.js";

const BEAT = 3000;
const OLD = 120; // seconds after which a report is late
const TOO_OLD = 600; // and after which its cluster takes nothing

/** The amounts of a cluster: how they are named in the answer, and shown. */
const AMOUNTS = [
  { key: "cpu", name: "vCPU", claims: (n) => `${n}`, uses: (n) => `${n}`, divisor: 1 },
  { key: "memory_mb", name: "Memory", claims: (n) => `${n} GiB`, uses: (n) => `${n} GiB`, divisor: 1024 },
  { key: "disk_gb", name: "Disk", claims: (n) => `${n} GiB`, uses: (n) => `${n} GiB`, divisor: 1 },
];

/** @param {import("../main.js").Visit} visit */
export async function showClusters({ api, main, signal }) {
  document.title = "Clusters · skysaga";
  const list = h("div", { class: "clusters" });
  const none = h("p", { hidden: true }, "No cluster has reported yet whose targets you may use. docs/clusters.md says how to declare one.");
  fill(main, h("article", {}, h("h1", { tabindex: "-1" }, "Clusters"), h("p", { class: "lead" }, "Claimed is what sagas have reserved of what may be claimed; in use is what the hosts themselves report."), none, list));
  await keepAsking(
    signal,
    async () => {
      const page = await api.changed("clusters", signal);
      if (page) {
        none.hidden = page.items.length > 0;
        keep(list, page.items, (it) => it.name, card, drawCard);
      }
      return BEAT;
    },
    showStanding,
  );
}

function card(it) {
  return h(
    "section",
    { class: "cluster", "aria-label": it.name },
    h("h2", {}, it.name, " ", badge("", standing(it))),
    h("p", { class: "quiet" }, `${it.provider} · ${it.target}`, Object.entries(it.labels).map(([key, value]) => [" ", label(key, value)]).flat()),
    AMOUNTS.map(({ name }) => h("div", { class: "amount" }, h("h3", {}, name), bar("claimed"), bar("in use"))),
    h("p", { class: "quiet" }, h("span"), " · reported ", when(it.reported_at, true), " ", h("span")),
  );
}

function drawCard(element, it) {
  const words = standing(it);
  change(element.querySelector(".badge"), words.word, words);
  AMOUNTS.forEach(({ key, claims, uses, divisor }, index) => {
    const [, claimed, used] = element.querySelectorAll(".amount")[index].children;
    const whole = (n) => Math.round((n / divisor) * 10) / 10;
    claimed.fillTo(it.claimed[key], it.claimable[key], `${whole(it.claimed[key])} of ${claims(whole(it.claimable[key]))}`);
    used.fillTo(it.used[key], it.capacity[key], `${whole(it.used[key])} of ${uses(whole(it.capacity[key]))}`);
  });
  const last = element.lastElementChild;
  say(last.children[0], `${it.hosts.usable} of ${it.hosts.all} hosts usable`);
  tellTime(last.children[1], it.reported_at, true);
  say(last.children[2], `(${span(it.report_age_seconds * 1000)} ago)`);
}

function standing(it) {
  if (it.report_age_seconds > TOO_OLD) return { word: "silent", tone: "bad", sign: "!", means: "its report is so old that it takes nothing" };
  if (it.drained) return { word: "drained", tone: "wait", sign: "–", means: "it takes nothing new" };
  if (!it.hosts.usable) return { word: "no usable host", tone: "bad", sign: "!", means: "none of its hosts can take a machine" };
  if (it.report_age_seconds > OLD) return { word: "report is late", tone: "wait", sign: "?", means: "its numbers may be out of date" };
  return { word: "ok", tone: "good", sign: "●", means: "it takes machines" };
}
