// Runs before anything is painted, so that a page in the other theme does not flash.
(() => {
  try {
    const theme = localStorage.getItem("skysaga-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // A browser that keeps nothing shows what the system prefers.
  }
})();
