// Light, dark, or what the system prefers: a button that goes round the three, and remembers.

const THEMES = ["auto", "light", "dark"];
const WORDS = { auto: "Auto", light: "Light", dark: "Dark" };

/** Make `button` switch themes. @param {HTMLElement} button */
export function offerThemes(button) {
  show(button, document.documentElement.dataset.theme ?? "auto");
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("skysaga-theme", next);
    } catch {
      // It then lasts as long as the page.
    }
    show(button, next);
  });
}

function show(button, theme) {
  button.textContent = WORDS[theme];
  button.setAttribute("aria-label", `Theme: ${WORDS[theme]}`);
}
