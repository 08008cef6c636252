// Which view an address means, and the way from one to the next. Everything that a view shows is in its address.

/** @typedef {{path: string[], parameters: URLSearchParams}} Place */

/** @param {string} hash @returns {Place} */
export function placeOf(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decoded), parameters: new URLSearchParams(search) };
}

/** The address of a view. @param {string} path @param {Record<string, string | null | undefined>} [parameters] */
export function address(path, parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value);
  const search = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return `#/${path}${search ? `?${search}` : ""}`;
}

/** Note in the address what a view shows now, without leaving it. @param {string} to */
export function note(to) {
  history.replaceState(null, "", to);
}

/** Call `show` for the place where the page is, and for every one that it goes to. @param {(place: Place, first: boolean) => void} show */
export function follow(show) {
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#/")) show(placeOf(location.hash), false);
  });
  show(placeOf(location.hash), true);
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
