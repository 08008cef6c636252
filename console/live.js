// Asking again and again: as long as the page is looked at, through what passes, and never faster than it may.

import { Problem } from "./api.js";

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/**
 * Do `ask` over and over until `signal` aborts; it gives the milliseconds until the next time. What passes by itself
 * (no answer, 429, 5xx) is tried again, ever more slowly; `standing` is told "live" or "reconnecting". What does not
 * pass is thrown. `nudge` is a target whose "nudge" event ends a pause at once.
 * @param {AbortSignal} signal @param {() => Promise<number>} ask
 * @param {(standing: "live" | "reconnecting", why?: string) => void} standing @param {EventTarget} [nudge]
 */
export async function keepAsking(signal, ask, standing, nudge = new EventTarget()) {
  let failures = 0;
  while (!signal.aborted) {
    let wait;
    try {
      wait = await ask();
      failures = 0;
      standing("live");
    } catch (/** @type {any} */ error) {
      if (signal.aborted) return;
      if (!passes(error)) throw error;
      failures += 1;
      standing("reconnecting", error instanceof Problem ? error.message : "no answer");
      const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1)) * (0.75 + Math.random() / 2);
      wait = Math.max(pause, error.retryAfter * 1000 || 0);
    }
    await pause(wait, signal, nudge);
    await seen(signal);
  }
}

/** Wait, unless something comes in between: the signal, a nudge, the network, or somebody who looks at the page again. @param {number} ms @param {AbortSignal} signal @param {EventTarget} [nudge] @returns {Promise<void>} */
export function pause(ms, signal, nudge = new EventTarget()) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      nudge.removeEventListener("nudge", done);
      removeEventListener("online", done);
      document.removeEventListener("visibilitychange", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    nudge.addEventListener("nudge", done);
    addEventListener("online", done);
    document.addEventListener("visibilitychange", done);
    if (signal.aborted) done();
  });
}

/** A hidden page asks nothing: a browser has six connections to one address, for all of its tabs. */
async function seen(signal) {
  while (document.hidden && !signal.aborted) await pause(60_000, signal);
}

function passes(error) {
  return error instanceof Problem ? error.passing : error instanceof TypeError;
}
