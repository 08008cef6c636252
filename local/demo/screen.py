"""What the demo shows: a table that lives while a saga runs, or a line per change where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

_STYLES: Final = {
    "READY": "green",
    "COMMITTED": "bold green",
    "FAILED": "red",
    "STUCK": "bold red",
    "NEEDS_ATTENTION": "bold red",
    "CREATING": "yellow",
    "DELETING": "magenta",
    "COMPENSATING": "magenta",
    "ROLLED_BACK": "bold magenta",
    "RELEASING": "magenta",
    "RELEASED": "bold magenta",
}


class Screen:
    """Writes to a console, with the seconds since the demo began before each line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._resources: dict[str, dict[str, Any]] = {}
        self._live: Live | None = None
        self._seen = 0

    def chapter(self, title: str) -> None:
        """Begin a part of the demo."""
        self._console.print()
        self._console.print(Rule(f"[bold]{title}", align="left"))

    def say(self, line: str) -> None:
        """One line of what is being done."""
        self._console.print(Text.assemble((self._time(), "dim"), "  ", line))

    def start(self, resources: Sequence[Mapping[str, Any]]) -> None:
        """Begin showing a saga's resources."""
        self._resources = {it["id"]: {**it, "message": ""} for it in resources}
        self._seen = 0
        if self._console.is_terminal:
            self._live = Live(self._table(), console=self._console, refresh_per_second=10)
            self._live.start()

    def show(self, event: Mapping[str, Any]) -> None:
        """One event of the saga."""
        resource = self._resources.get(event["resource"])
        if resource is not None:
            resource |= {"status": event["status"], "message": event["message"] or ""}
        if self._live is not None:
            self._live.update(self._table())
        else:
            subject = event["resource"] or "saga"
            status = (f"{event['status']:12}", _STYLES.get(event["status"], ""))
            line = Text.assemble((self._time(), "dim"), f"  {subject:12} ", status, " ", event["message"] or "")
            self._console.print(line, soft_wrap=True)

    def note(self, saga_id: str, event: Mapping[str, Any]) -> None:
        """One event of another saga; only those about the saga itself are shown."""
        if event["resource"] is None:
            status = (event["status"], _STYLES.get(event["status"], ""))
            self._console.print(Text.assemble((self._time(), "dim"), f"  saga {saga_id} ", status))

    def finish(self, saga: Mapping[str, Any]) -> None:
        """End showing a saga, with how it ended and why."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        status = (saga["status"], _STYLES.get(saga["status"], ""))
        self._console.print(Text.assemble((self._time(), "dim"), f"  saga {saga['id']} ", status))
        for resource in saga["resources"]:
            if resource["error"]:
                self._console.print(
                    Text.assemble("        because of ", (resource["id"], "bold"), ": ", resource["error"])
                )

    def inventories(self, inventories: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """What the clouds themselves say that they hold."""
        table = Table("cloud", "type", "name", "status", title="What the clouds themselves hold", title_justify="left")
        for cloud, resources in inventories.items():
            for resource in resources:
                table.add_row(cloud, resource["type"], resource["name"], str(resource["status"]))
            if not resources:
                table.add_row(cloud, "[dim]nothing", "", "")
        self._console.print(table)

    def _table(self) -> Table:
        table = Table("resource", "cloud", "status", "")
        for it in self._resources.values():
            style = _STYLES.get(it["status"], "")
            table.add_row(
                it["id"],
                it["provider"],
                Text(it["status"], style),
                Text(it["message"], "dim", overflow="ellipsis", no_wrap=True),
            )
        return table

    def _time(self) -> str:
        return f"{time.monotonic() - self._began:6.1f}s"
