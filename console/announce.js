// Said to people who listen instead of looking: changes of status, and what became of an order.

import { say } from "./dom.js";

/** @param {string} text */
export function announce(text) {
  const place = document.getElementById("said");
  if (place) say(place, text);
}

/** Show whether what is on the page is up to date. @param {"live" | "reconnecting" | null} standing @param {string} [why] */
export function showStanding(standing, why = "") {
  const place = document.getElementById("live");
  if (!place) return;
  const was = place.dataset.standing;
  place.hidden = standing === null;
  place.dataset.standing = standing ?? "";
  place.title = why;
  say(place, standing === "reconnecting" ? "Reconnecting…" : "Live");
  if (standing === "reconnecting" && was !== "reconnecting") announce("The API does not answer. Reconnecting.");
  if (standing === "live" && was === "reconnecting") announce("Connected again.");
}
