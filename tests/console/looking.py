"""A page of the console in a browser, as somebody looks at it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from local.assembly import STATE
from tests.console.browser import install_packages

SCREENSHOTS: Final = STATE / "screenshots"
PATIENCE: Final = 30_000
"""Milliseconds that something may take to be seen."""

Theme = Literal["light", "dark"]


class Look:
    """One browser's look at the console at an address; `complaints` is all that the browser had against the page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, place: str) -> None:
        """Go to a view by its hash."""
        self.page.goto(f"{self.url}/#/{place}")

    def keep(self, name: str) -> Path:
        """Keep a screenshot of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def status(self) -> Locator:
        """The status of the saga that is shown."""
        return self.page.locator(".title .badge b")

    def node(self, resource: str) -> Locator:
        """A resource in the graph."""
        return self.page.locator(f'.graph [data-key="{resource}"]')

    def row(self, resource: str) -> Locator:
        """A resource in the timeline; the saga's own is ""."""
        return self.page.locator(f'.timeline .row[data-key="{resource}"]')

    def expect_spans(self, resource: str, *statuses: str) -> None:
        """Wait until a resource's row shows these statuses one after the other."""
        deadline = time.monotonic() + PATIENCE / 1000
        while self._spans(resource) != list(statuses):
            assert time.monotonic() < deadline, self._spans(resource)
            self.page.wait_for_timeout(100)

    def _spans(self, resource: str) -> list[str]:
        shown = self.row(resource).locator(".span").evaluate_all("them => them.map(it => it.dataset.status)")
        return [it for number, it in enumerate(shown) if number == 0 or shown[number - 1] != it]

    def expect_nodes(self, statuses: dict[str, str]) -> None:
        """Wait until resources are shown in these statuses in the graph."""
        for resource, status in statuses.items():
            expect(self.node(resource)).to_have_attribute("data-status", status, timeout=PATIENCE)

    def focused(self) -> str:
        """The text or name of what has the focus."""
        script = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
        return str(self.page.evaluate(script))

    def tab_to(self, name: str) -> None:
        """Go on with the Tab key until what has this text or name has the focus."""
        for _ in range(80):
            if self.focused() == name:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key does not reach {name!r}")

    def barriers(self) -> list[str]:
        """What keeps people out of the page as it is: axe's findings against WCAG 2.2, levels A and AA."""
        source = (install_packages() / "axe-core" / "axe.min.js").read_text()
        self.page.evaluate(source)
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        script = "rules => axe.run(document, {runOnly: rules}).then(it => it.violations)"
        found: list[dict[str, Any]] = self.page.evaluate(script, rules)
        return [f"{it['id']}: {it['help']}: {json.dumps([node['html'][:160] for node in it['nodes']])}" for it in found]

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return width

    def _heard(self, message: ConsoleMessage) -> None:
        # A browser notes every answer of 412, which the page answers itself: it looks again, and asks again.
        if message.type in ("error", "warning") and "412 (Precondition Failed)" not in message.text:
            self.complaints.append(message.text)


@contextmanager
def looking(browser: Browser, url: str, theme: Theme = "light", width: int = 1280) -> Iterator[Look]:
    """A look by somebody who was never there before, in their theme and with their window."""
    context = browser.new_context(
        color_scheme=theme, viewport={"width": width, "height": 900}, timezone_id="Europe/Berlin", locale="en-GB"
    )
    try:
        yield Look(context.new_page(), url)
    finally:
        context.close()
