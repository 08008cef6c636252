// Sagas of more resources than a page can draw: how many are where, and which of them to name.

export const A_PAGE = 100; // resources of a large saga that are shown at once
const MOST_DRAWN = 50; // the API shows sagas up to this whole, and in waves
const MOST_NAMED = 20;

/** How many resources a saga has, whatever part of them is there. @param {any} saga */
export function total(saga) {
  const counts = Object.values(saga.resource_counts ?? {});
  return counts.length ? counts.reduce((sum, it) => sum + it, 0) : saga.resources.length;
}

/** @param {any} saga */
export const isLarge = (saga) => total(saga) > MOST_DRAWN;

/** How many resources have which status, the largest number first. @param {any} saga */
export function counted(saga) {
  const counts = Object.entries(saga.resource_counts ?? {}).sort((a, b) => b[1] - a[1]);
  return counts.map(([status, count]) => `${count.toLocaleString("en")} ${status}`).join(", ");
}

/** The first of what there is to name, and how many more there are. @template T @param {T[]} items @returns {{named: T[], more: number}} */
export function some(items) {
  return { named: items.slice(0, MOST_NAMED), more: Math.max(0, items.length - MOST_NAMED) };
}

/** Which resources of a large saga are shown. @param {any} saga */
export function shownOf(saga) {
  const [first, last] = [saga.resources[0]?.id, saga.resources.at(-1)?.id];
  const which = first ? `${first} to ${last}` : "none";
  return `${total(saga).toLocaleString("en")} resources, by their names; shown: ${which}. skysaga get ${saga.id} shows first what has failed.`;
}
