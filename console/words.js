// The statuses of sagas and resources: the tone each is shown in, the sign that says it without colour, and what it means.

/** @typedef {"plan" | "work" | "wait" | "good" | "undo" | "gone" | "bad"} Tone */

/** @type {Record<string, {tone: Tone, sign: string, means: string}>} */
const SAGA = {
  PENDING: { tone: "plan", sign: "○", means: "accepted, about to start" },
  PROVISIONING: { tone: "work", sign: "◐", means: "resources are being created" },
  AWAITING_APPROVAL: { tone: "wait", sign: "?", means: "waits until somebody approves or cancels it" },
  COMMITTED: { tone: "good", sign: "●", means: "every resource exists and is ready" },
  COMPENSATING: { tone: "undo", sign: "◑", means: "everything is being rolled back" },
  ROLLED_BACK: { tone: "gone", sign: "↺", means: "nothing of it exists" },
  RELEASING: { tone: "undo", sign: "◑", means: "everything is being removed" },
  RELEASED: { tone: "gone", sign: "∅", means: "everything of it was removed" },
  NEEDS_ATTENTION: { tone: "bad", sign: "!", means: "something could not be removed; resume it to try again" },
};

/** @type {Record<string, {tone: Tone, sign: string, means: string}>} */
const RESOURCE = {
  PLANNED: { tone: "plan", sign: "○", means: "not asked for yet" },
  CREATING: { tone: "work", sign: "◐", means: "its cloud was asked for it" },
  READY: { tone: "good", sign: "●", means: "its cloud says that it is there" },
  FAILED: { tone: "bad", sign: "×", means: "its cloud could not make it" },
  DELETING: { tone: "undo", sign: "◑", means: "is being removed" },
  ABSENT: { tone: "gone", sign: "∅", means: "does not exist" },
  STUCK: { tone: "bad", sign: "!", means: "would not go away" },
};

const UNKNOWN = { tone: /** @type {Tone} */ ("plan"), sign: "·", means: "" };

export const SAGA_STATUSES = Object.keys(SAGA);
const ENDED = new Set(["COMMITTED", "ROLLED_BACK", "RELEASED", "NEEDS_ATTENTION"]);

/** @param {string} status */
export const sagaWords = (status) => SAGA[status] ?? UNKNOWN;

/** @param {string} status */
export const resourceWords = (status) => RESOURCE[status] ?? UNKNOWN;

/** Whether nothing is at work on a saga. @param {string} status */
export const ended = (status) => ENDED.has(status);

/** Whether a saga's resources are being removed. @param {string} status */
export const undoing = (status) => status === "COMPENSATING" || status === "RELEASING";

/** A status for reading: in small letters, without underscores. @param {string} status */
export const spoken = (status) => status.toLowerCase().replaceAll("_", " ");
