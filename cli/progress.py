"""What is seen of a saga while it runs: a table that lives, a line per event without a terminal, or documents.

Of a large saga there are counts instead of lines, and what has failed by name.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.counting import MOST_LINES, MOST_TROUBLED, Tally, counts_line, counts_of, is_large, most_telling
from cli.output import STYLES, TABLE, printable, seconds_in_words, stdout, stream

_REFRESHES: Final = 8
"""A second."""
_FRAME: Final = 5
"""Lines of a terminal that are not for resources: saga, headings, what is left out, advice, and the cursor."""

_GAP: Final = 2
_WIDEST: Final = 28
"""Characters of a resource's name."""

_COUNTS_SECONDS: Final = 5.0
"""Between two lines of counts."""

Document = Mapping[str, Any]


class Progress(Protocol):
    """Shows one saga from its beginning to its end."""

    def start(self, saga: Document) -> bool:
        """Begin with a saga as it is now; whether the events that it has had before are to be shown, too."""

    def show(self, event: Document) -> None:
        """One event of it."""

    def pause(self) -> None:
        """Leave the terminal to somebody else until `start` or `resume`."""

    def resume(self) -> None:
        """Go on after a pause."""

    def finish(self, saga: Document) -> None:
        """End with the saga as it is in the end."""


def progress(output: str) -> Progress:
    """What suits an output, and whether there is a terminal."""
    if output != TABLE:
        return Documents(output)
    console = stdout()
    lively = console.is_terminal and not console.is_dumb_terminal
    return LiveTable(console) if lively else Lines(console)


class Documents:
    """Each event as a document, and in the end the saga."""

    def __init__(self, output: str) -> None:
        self._output = output

    def start(self, saga: Document) -> bool:
        """Nothing: events tell everything, from the first on."""
        return True

    def show(self, event: Document) -> None:
        """One event of it."""
        stream(self._output, "event", event)

    def pause(self) -> None:
        """Nothing: documents are in nobody's way."""

    def resume(self) -> None:
        """Nothing."""

    def finish(self, saga: Document) -> None:
        """The saga as it is in the end."""
        stream(self._output, "saga", saga)


class Lines:
    """A line for each event, and in the end one for the saga and for each error; of a large saga counts."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tally: Tally | None = None
        self._counted_at = 0.0

    def start(self, saga: Document) -> bool:
        """A line for the saga."""
        self._print(Text.assemble("saga ", (saga["id"], "bold"), f"  {printable(saga['name'])}  ", status(saga)))
        self._tally = Tally(saga) if is_large(saga) else None
        self._count(self._tally)
        return self._tally is None

    def show(self, event: Document) -> None:
        """One event of it."""
        of_resource = event["resource"] is not None
        if self._tally is None or not of_resource or self._tally.take(event):
            self._print(event_line(event))
        if not of_resource or time.monotonic() - self._counted_at > _COUNTS_SECONDS:
            self._count(self._tally)

    def pause(self) -> None:
        """Nothing: lines are in nobody's way."""

    def resume(self) -> None:
        """Nothing."""

    def finish(self, saga: Document) -> None:
        """How it ended, and because of what."""
        for line in ending_lines(saga):
            self._print(line)

    def _count(self, tally: Tally | None) -> None:
        if tally is not None:
            self._print(tally.line())
            self._counted_at = time.monotonic()

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)
        self._console.file.flush()


class LiveTable:
    """A table of the resources that changes while the saga runs, and stays as it was in the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._saga: dict[str, Any] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._live: Live | None = None

    def start(self, saga: Document) -> bool:
        """Begin with a saga as it is now."""
        self._saga = dict(saga)
        self._rows = {it["id"]: _row_of(it) for it in in_order(saga)}
        self.resume()
        return not is_large(saga)

    def show(self, event: Document) -> None:
        """One event of it."""
        if (row := self._rows.get(event["resource"])) is not None:
            if event["status"] != row["status"]:
                row |= {"status": event["status"], "since": _moment(event["at"])}
            row |= {"note": note_of(event)}
        elif event["resource"] is None:
            self._saga |= {"status": event["status"]}

    def pause(self) -> None:
        """Leave the terminal to somebody else, with the table as it is now."""
        if self._stopped():
            rows = list(self._rows.values())
            self._console.print(*self._top(rows), self._moving(most_telling(rows, MOST_LINES)), sep="\n")

    def resume(self) -> None:
        """Go on below whatever was written meanwhile."""
        self._live = Live(
            get_renderable=self._shown, console=self._console, refresh_per_second=_REFRESHES, transient=True
        )
        self._live.start()

    def finish(self, saga: Document) -> None:
        """The whole table, and how it ended."""
        self._stopped()
        self._saga |= saga
        resources = in_order(saga)
        if not is_large(saga):
            rows = [[*_cells(_row_of(it)), _took(it), _outcome(it)] for it in resources]
            self._console.print(self._heading(), _table(rows, "TOOK", self._console.width), sep="\n")
        else:
            self._console.print(*self._top(resources), sep="\n")
        self._console.print(*ending_lines(saga), sep="\n")

    def _stopped(self) -> bool:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        return live is not None

    def _shown(self) -> RenderableType:
        rows = list(self._rows.values())
        room = max(3, self._console.height - _FRAME)
        shown = most_telling(rows, room if len(rows) <= room else room - len(self._top(rows)))
        parts: list[RenderableType] = [*self._top(rows), self._moving(shown)]
        if len(shown) < len(rows):
            names = {it["id"] for it in shown}
            rest = counts_of([it for it in rows if it["id"] not in names])
            listed = ", ".join(f"{count} {name}" for name, count in rest.most_common())
            parts.append(Text(f"and {rest.total()} more: {listed}", style="dim"))
        parts.append(self._advice())
        return Group(*parts)

    def _top(self, rows: Sequence[Document]) -> list[RenderableType]:
        """The saga, and of a large one how many resources are where."""
        counts = [counts_line(counts_of(rows))] if len(rows) > MOST_LINES else []
        return [self._heading(), *counts]

    def _moving(self, rows: Sequence[Mapping[str, Any]]) -> Table:
        """Each with how long it has been where it is."""
        now = datetime.now(UTC)
        cells = [[*_cells(it), _age(it["since"], now), Text(it["note"], style="dim")] for it in rows]
        return _table(cells, "FOR", self._console.width)

    def _heading(self) -> Text:
        saga = self._saga
        end = _moment(saga["finished_at"]) if saga.get("finished_at") else datetime.now(UTC)
        elapsed = seconds_in_words((end - _moment(saga["created_at"])).total_seconds())
        parts = ((saga["id"], "bold"), f"  {printable(saga['name'])}  ", status(saga), (f"  {elapsed}", "dim"))
        return Text.assemble(*parts, overflow="ellipsis", no_wrap=True)

    def _advice(self) -> Text:
        if self._saga["status"] == "AWAITING_APPROVAL":
            return Text(f"skysaga approve {self._saga['id']} lets it go on", style="bold cyan")
        return Text("Ctrl-C: leave it running, or cancel it", style="dim", no_wrap=True, overflow="ellipsis")


def status(of: Document) -> tuple[str, str]:
    """A status in its colour."""
    return of["status"], STYLES.get(of["status"], "")


def note_of(event: Document) -> str:
    """What an event says besides its status; a fault that may pass says in which step it was met."""
    message = printable(event["message"] or "")
    return f"{event['step']}: {message}" if event.get("error") else message


def event_line(event: Document) -> Text:
    """An event in one line."""
    subject = event["resource"] or "saga"
    name, style = status(event)
    parts = ((event["at"], "dim"), f"  {subject:16}  ", (f"{name:17}", style), f"  {note_of(event)}")
    line = Text.assemble(*parts)
    line.rstrip()
    return line


def in_order(saga: Document) -> Sequence[Document]:
    """The resources of a saga in the order in which they are created."""
    places = {name: place for place, wave in enumerate(saga.get("waves") or []) for name in wave}
    return sorted(saga["resources"], key=lambda it: places.get(it["id"], 0))


def ending_lines(saga: Document) -> list[Text]:
    """How a saga ended, because of what, and what to do about it."""
    lines = [Text.assemble("saga ", (saga["id"], "bold"), "  ", status(saga))]
    if is_large(saga):
        lines.append(counts_line(counts_of(saga["resources"])))
    wrong = [it for it in saga["resources"] if it["error"]]
    for it in wrong[:MOST_TROUBLED]:
        lines.append(Text.assemble("because of ", (it["id"], "bold"), f": {printable(it['error'])}"))
    if len(wrong) > MOST_TROUBLED:
        lines.append(Text(f"and of {len(wrong) - MOST_TROUBLED} more: `skysaga get {saga['id']} -o json` names them"))
    if advice := _ADVICE.get(saga["status"]):
        lines.append(Text(advice.format(id=saga["id"]), style="dim"))
    return lines


_ADVICE: Final[Mapping[str, str]] = {
    "COMMITTED": "All of it exists and is ready. `skysaga destroy {id}` removes it.",
    "ROLLED_BACK": "Nothing of it exists.",
    "RELEASED": "Nothing of it exists any more.",
    "NEEDS_ATTENTION": "What is STUCK could not be removed. Mend what its error names, then: skysaga resume {id}",
}


def _row_of(resource: Document) -> dict[str, Any]:
    moments = [resource.get(name) for name in ("created_at", "ready_at", "release_began_at", "gone_at")]
    latest = max(filter(None, moments), default=None)
    return {
        "id": printable(resource["id"]),
        "provider": printable(resource["provider"]),
        "status": resource["status"],
        "since": _moment(latest) if latest else None,
        "note": printable(resource["error"] or ""),
    }


def _cells(row: Mapping[str, Any]) -> list[Text]:
    return [Text(row["id"]), Text(row["provider"]), Text(*status(row))]


def _age(since: datetime | None, now: datetime) -> Text:
    return Text(seconds_in_words((now - since).total_seconds()) if since else "")


def _took(resource: Document) -> Text:
    """How long it took to become ready, or to go."""
    first, last = _SPANS.get(resource["status"], ("", ""))
    began, ended = resource.get(first), resource.get(last)
    return _age(_moment(began), _moment(ended)) if began and ended else Text("")


_SPANS: Final = {"READY": ("created_at", "ready_at"), "ABSENT": ("release_began_at", "gone_at")}


def _outcome(resource: Document) -> Text:
    there = resource["cloud_id"] if resource["status"] != "ABSENT" else None
    return Text(printable(resource["error"] or there or ""), style="dim")


def _table(rows: Sequence[Sequence[Text]], span: str, width: int) -> Table:
    """Rows as wide as the terminal: names are shown as far as they are usual, and the last column gets what is left."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    headings = ("RESOURCE", "CLOUD", "STATUS", span)
    left = width
    for number, heading in enumerate(headings):
        wide = min(_WIDEST, max([len(heading), *(row[number].cell_len for row in rows)]))
        left -= wide + _GAP
        justify: Literal["left", "right"] = "right" if heading == span else "left"
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=wide, justify=justify)
    table.add_column("", no_wrap=True, overflow="ellipsis", width=max(1, left))
    for row in rows:
        table.add_row(*row)
    return table


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
