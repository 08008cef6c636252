// The page: its configuration, its theme, and the view that its address means.

import { showStanding } from "./announce.js";
import { Api } from "./api.js";
import { fill, set } from "./dom.js";
import { problemNotice } from "./notice.js";
import { follow } from "./router.js";
import { NOBODY, SignIn } from "./signin.js";
import { offerThemes } from "./theme.js";
import { showClusters } from "./views/clusters.js";
import { showCosts } from "./views/costs.js";
import { showSaga } from "./views/saga.js";
import { showSagas } from "./views/sagas.js";

const VIEWS = { sagas: showSagas, clusters: showClusters, costs: showCosts };

/** @typedef {{api: Api, main: HTMLElement, place: import("./router.js").Place, signal: AbortSignal}} Visit */

async function begin() {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  offerThemes(/** @type {HTMLElement} */ (document.getElementById("theme")));
  skipLink(main);
  const config = await (await fetch("config.json", { cache: "no-store" })).json();
  const signIn = config.signin ? new SignIn(config.signin) : null;
  await signIn?.finish();
  const api = new Api(config.api, signIn ?? NOBODY);
  let leaving = new AbortController();
  follow((place, first) => {
    leaving.abort();
    leaving = new AbortController();
    void visit({ api, main, place, signal: leaving.signal }, first);
  });
}

/** Show one view until it is left; whatever it could not cope with is said in its place. @param {Visit} it @param {boolean} first */
async function visit(it, first) {
  const [name = "sagas", id] = it.place.path;
  const view = name === "sagas" && id ? showSaga : VIEWS[name];
  showStanding(null);
  for (const link of document.querySelectorAll("nav a")) {
    set(link, { "aria-current": link.getAttribute("href") === `#/${name}` ? (id ? "true" : "page") : null });
  }
  try {
    if (!view) throw new Error(`There is no view "${name}".`);
    const shown = view(it);
    if (!first) /** @type {any} */ (it.main.querySelector("h1") ?? it.main).focus();
    scrollTo(0, 0);
    await shown;
  } catch (error) {
    if (it.signal.aborted) return;
    showStanding(null);
    it.main.prepend(problemNotice(error));
  }
}

/** The address is the view's, so the link moves the focus itself. @param {HTMLElement} main */
function skipLink(main) {
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
}

begin().catch((error) => fill(/** @type {any} */ (document.getElementById("main")), problemNotice(error)));
