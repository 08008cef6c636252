// The HTTP API: documents in and out, problems as exceptions, entity tags remembered.

/** The API refused: `problem` is its RFC 9457 document. */
export class Problem extends Error {
  /** @param {number} status @param {any} problem @param {number} [retryAfter] in seconds */
  constructor(status, problem, retryAfter = 0) {
    super(problem.title ?? problem.message ?? `The API answered ${status}`);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** Whether the same call may well succeed in a moment. */
  get passing() {
    return this.status === 429 || this.status >= 500;
  }
}

/** One deployment's API at an address. `signIn` gives the headers that let a call in, and gets others where they are refused. */
export class Api {
  /** @param {string} address @param {{headers: () => Promise<Record<string, string>>, refused: () => Promise<void>}} signIn */
  constructor(address, signIn) {
    this.address = address.endsWith("/") ? address : `${address}/`;
    this.signIn = signIn;
    /** @type {Map<string, string>} */
    this.tags = new Map();
  }

  /** A document. @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
  async get(path, signal) {
    return (await this.call("GET", path, { signal })).document;
  }

  /** A document if it has changed since it was last asked for by this; null otherwise. @param {string} path @param {AbortSignal} [signal] */
  async changed(path, signal) {
    const tag = this.tags.get(path);
    const answer = await this.call("GET", path, { signal, headers: tag ? { "If-None-Match": tag } : {} });
    if (answer.status === 304) return null;
    if (answer.tag) this.tags.set(path, answer.tag);
    return answer.document;
  }

  /** A saga with the tag it has now; of a large one the resources after `cursor`, at most `limit`. @param {string} id @param {AbortSignal} [signal] @param {{limit?: number, cursor?: string | null}} [page] */
  async saga(id, signal, page = {}) {
    const { document, tag } = await this.call("GET", `sagas/${encodeURIComponent(id)}${query(page)}`, { signal });
    return { ...document, tag };
  }

  /** The events of a saga after a cursor; waits for one up to `wait` seconds. @param {string} id @param {string} after @param {number} wait @param {AbortSignal} [signal] */
  events(id, after, wait, signal) {
    return this.get(`sagas/${encodeURIComponent(id)}/events?after=${after}&wait=${wait}`, signal);
  }

  /** Have something done to a saga as it was seen, which its tag tells. @param {string} method @param {string} path @param {string | null} tag */
  async order(method, path, tag) {
    return (await this.call(method, path, { headers: tag ? { "If-Match": tag } : {} })).document;
  }

  /** @param {string} method @param {string} path @param {{signal?: AbortSignal, headers?: Record<string, string>}} options */
  async call(method, path, { signal, headers = {} }) {
    const sent = { Accept: "application/json", ...headers, ...(await this.signIn.headers()) };
    const answer = await fetch(this.address + path, { method, signal, headers: sent, cache: "no-store" });
    const text = await answer.text();
    if (answer.status === 401) await this.signIn.refused();
    if (!answer.ok && answer.status !== 304) {
      throw new Problem(answer.status, parsed(text) ?? {}, Number(answer.headers.get("Retry-After")) || 0);
    }
    return { status: answer.status, document: parsed(text), tag: answer.headers.get("ETag") };
  }
}

/** @param {Record<string, any>} parameters without what is empty */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text ? `?${text}` : "";
}

function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
