// Signing in with the issuer whose tokens the API takes: OpenID Connect's authorization code with PKCE, and no secret.
// Sources: RFC 7636 (PKCE), RFC 9700 (what a browser should do today), OpenID Connect Discovery 1.0.

const KEPT = "skysaga-sign-in";
const MARGIN_SECONDS = 30;
const WORTHLESS_SECONDS = 20;

/** Where nobody signs in: whoever serves the page signs its calls. */
export const NOBODY = { headers: async () => ({}), refused: async () => {} };

/** Signing in did not work; the message is for whoever tried. */
export class SignInFailed extends Error {}

/** Who has signed in, in this tab and for as long as it is open. */
export class SignIn {
  /** @param {{issuer: string, client_id: string, scopes: string[]}} settings @param {Storage} store */
  constructor(settings, store = sessionStorage) {
    this.settings = settings;
    this.store = store;
  }

  /** The headers of a call. Without a token that is still good the browser leaves for the issuer, and this never ends. */
  async headers() {
    const { token, until } = this.kept();
    if (token && Date.now() < until) return { Authorization: `Bearer ${token}` };
    await this.begin();
    return new Promise(() => {});
  }

  /** Leave for the issuer's page; whoever signs in there comes back to where they were. */
  async begin() {
    const verifier = random(48);
    const state = random(16);
    this.keep({ verifier, state, hash: location.hash });
    const issuer = await this.discovered();
    const asked = new URLSearchParams({
      response_type: "code",
      client_id: this.settings.client_id,
      redirect_uri: here(),
      scope: ["openid", ...this.settings.scopes].join(" "),
      state,
      code_challenge: await challenge(verifier),
      code_challenge_method: "S256",
    });
    location.assign(`${issuer.authorization_endpoint}?${asked}`);
  }

  /** Take up what the issuer sent a browser back with, if it did. Throws SignInFailed. */
  async finish() {
    const answer = new URLSearchParams(location.search);
    if (!answer.has("state")) return;
    const { verifier, state, hash } = this.kept();
    this.keep({});
    history.replaceState(null, "", here() + (hash ?? ""));
    if (!state || answer.get("state") !== state) throw new SignInFailed("This sign-in was not begun here.");
    if (answer.has("error")) throw new SignInFailed(answer.get("error_description") ?? answer.get("error") ?? "");
    await this.exchange(answer.get("code") ?? "", verifier);
  }

  /** The API did not take the token: ask for another, unless it is so new that another would be no better. */
  async refused() {
    const { since = 0 } = this.kept();
    if (Date.now() - since < WORTHLESS_SECONDS * 1000) return;
    await this.begin();
    await new Promise(() => {});
  }

  /** @param {string} code @param {string} verifier */
  async exchange(code, verifier) {
    const issuer = await this.discovered();
    const body = new URLSearchParams({
      grant_type: "authorization_code",
      code,
      redirect_uri: here(),
      client_id: this.settings.client_id,
      code_verifier: verifier,
    });
    const answer = await fetch(issuer.token_endpoint, { method: "POST", body });
    const document = await answer.json().catch(() => ({}));
    if (!answer.ok || !document.access_token) {
      throw new SignInFailed(document.error_description ?? document.error ?? `The issuer answered ${answer.status}.`);
    }
    const lasts = Math.max(0, Number(document.expires_in ?? 300) - MARGIN_SECONDS);
    const now = Date.now();
    this.keep({ token: document.access_token, since: now, until: now + lasts * 1000 });
  }

  /** What the issuer says of itself. @returns {Promise<{authorization_endpoint: string, token_endpoint: string}>} */
  async discovered() {
    const address = `${this.settings.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) throw new SignInFailed(`${this.settings.issuer} does not say where to sign in.`);
    return answer.json();
  }

  /** @returns {any} */
  kept() {
    return JSON.parse(this.store.getItem(KEPT) ?? "{}");
  }

  /** @param {object} what */
  keep(what) {
    this.store.setItem(KEPT, JSON.stringify(what));
  }
}

function here() {
  return location.origin + location.pathname;
}

/** @param {number} bytes */
function random(bytes) {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** @param {string} verifier */
async function challenge(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
