// What can be done to a saga as it stands, what each of it means, and having it done to the saga that was looked at.

import { Problem } from "./api.js";
import { h } from "./dom.js";
import { counted, isLarge, total } from "./large.js";
import { span } from "./time.js";

const MOST_TRIES = 5;

/** @typedef {{name: string, label: string, danger: boolean, method: string, path: (id: string) => string, possible: (saga: any) => boolean, title: (saga: any) => string, says: (saga: any) => any[], action: string, typed?: boolean, done: string}} Order */

/** @type {Order[]} */
export const ORDERS = [
  {
    name: "approve", label: "Approve", action: "Approve it", danger: false, method: "POST",
    path: (id) => `sagas/${id}/approve`, done: "Approved.",
    possible: (saga) => saga.status === "AWAITING_APPROVAL" && !saga.cancel_requested,
    title: (saga) => `Approve ${saga.name}?`,
    says: (saga) => [
      paragraph(saga.approval?.before === "provisioning"
        ? `It then creates ${count(total(saga))}.`
        : `${sentence(count(total(saga)))} then stay${total(saga) === 1 ? "s" : ""} for good: it commits, and can be destroyed, but no longer cancelled.`),
      saga.approval?.approve_by && paragraph(`Without an answer it is undone ${inWords(saga.approval.approve_by)}.`),
    ],
  },
  {
    name: "cancel", label: "Cancel", action: "Cancel the saga", danger: true, method: "POST",
    path: (id) => `sagas/${id}/cancel`, done: "The cancel was accepted.",
    possible: (saga) => ["PENDING", "PROVISIONING", "AWAITING_APPROVAL"].includes(saga.status) && !saga.cancel_requested,
    title: (saga) => `Cancel ${saga.name}?`,
    says: (saga) => [
      paragraph("Nothing more is created, and what exists by now is removed, last wave first. It ends ROLLED_BACK: nothing of it is left."),
      list(saga, (it) => it.status !== "PLANNED" && it.status !== "ABSENT", "Nothing of it exists yet."),
    ],
  },
  {
    name: "resume", label: "Resume", action: "Try again", danger: false, method: "POST",
    path: (id) => `sagas/${id}/resume`, done: "Its removal goes on.",
    possible: (saga) => saga.status === "NEEDS_ATTENTION",
    title: (saga) => `Resume ${saga.name}?`,
    says: (saga) => [
      paragraph("What could not be removed is asked to go once more:"),
      list(saga, (it) => it.status !== "ABSENT", "Nothing of it is left."),
    ],
  },
  {
    name: "destroy", label: "Destroy", action: "Destroy it", danger: true, method: "DELETE", typed: true,
    path: (id) => `sagas/${id}`, done: "Its removal begins.",
    possible: (saga) => saga.status === "COMMITTED",
    title: (saga) => `Destroy ${saga.name}?`,
    says: (saga) => [
      paragraph(`${sentence(count(total(saga)))} ${total(saga) === 1 ? "is" : "are"} removed for good, with all data, last wave first. This cannot be taken back.`),
      list(saga, () => true, "It has no resources."),
    ],
  },
];

/**
 * Have an order carried out on the saga that was seen. Where it has changed in between, it is looked at again: as long
 * as its status is the one that was seen, the order still means the same.
 * @param {import("./api.js").Api} api @param {Order} order @param {any} seen
 */
export async function carryOut(api, order, seen) {
  let tag = seen.tag;
  for (let tries = 1; ; tries += 1) {
    try {
      return await api.order(order.method, order.path(encodeURIComponent(seen.id)), tag);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 412 || tries === MOST_TRIES) throw error;
      const now = await api.saga(seen.id);
      if (now.status !== seen.status) {
        throw new Problem(412, { title: `It has become ${now.status} meanwhile`, detail: "Nothing was done. Go back and look at it again." });
      }
      tag = now.tag;
    }
  }
}

function paragraph(text) {
  return h("p", {}, text);
}

/** What an order is about, one by one; of a large saga how many resources have which status. */
function list(saga, concerns, none) {
  if (isLarge(saga)) return paragraph(`Of its ${count(total(saga))} there are now: ${counted(saga)}.`);
  const resources = saga.resources.filter(concerns);
  if (!resources.length) return paragraph(none);
  const items = resources.map((it) => h("li", {}, h("b", {}, it.id), ` ${[it.provider, it.kind, it.cluster ?? it.location].filter(Boolean).join(" · ")}, ${it.status}`));
  return h("ul", { class: "affected" }, items);
}

function count(number) {
  return number === 1 ? "one resource" : `${number.toLocaleString("en")} resources`;
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function inWords(moment) {
  return `in ${span(new Date(moment).getTime() - Date.now())}`;
}
