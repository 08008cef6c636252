"""`skysaga get` and `skysaga list`: one saga with its resources and what it costs, and all of those that are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.completion import complete_sagas
from cli.counting import MOST_LINES, counts_line, counts_of, is_large, most_telling
from cli.endpoint import client_option
from cli.output import grid, output_option, printable, seconds_in_words, show
from cli.progress import in_order, status
from cli.states import STATUSES

if TYPE_CHECKING:
    from cli.api import SagaSummary
    from cli.client import ApiClient

_PAGE: Final = 100
_OUTCOME: Final = "CLOUD ID OR ERROR"
_STATUS: Final = click.Choice(STATUSES, case_sensitive=False)


@click.command(short_help="Show one saga, and what it costs.")
@click.argument("saga", shell_complete=complete_sagas)
@client_option
@output_option
def get(saga: str, client: ApiClient, output: str) -> None:
    """Show the saga whose id is SAGA: its resources, and what it costs once that is known."""
    document = client.get(saga)
    show(output, "saga", document, _headline(document), *_all_resources(document), *_cost(document))


@click.command(name="list")
@client_option
@output_option
@click.option(
    "--status", type=click.Choice(STATUSES, case_sensitive=False), metavar="STATUS", help="Only those in this status."
)
@click.option("--label", help="Only those with this label: KEY=VALUE.")
@click.option("--name", help="Only those of this name; * and ? stand for anything.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many; all if left out.")
def list_sagas(
    client: ApiClient, output: str, status: str | None, label: str | None, name: str | None, limit: int | None
) -> None:
    """List the sagas that you may see, the newest first."""
    items = _found(client, status, label, name, limit)
    shown = _sagas(items) if items else Text("There is no such saga: `skysaga apply FILE` makes one.")
    show(output, "sagas", {"items": items}, shown)


def _found(
    client: ApiClient, status: str | None, label: str | None, name: str | None, limit: int | None
) -> list[SagaSummary]:
    """All pages of what is asked for, as far as they are needed."""
    items: list[SagaSummary] = []
    size = _PAGE if name is not None or limit is None else min(limit, _PAGE)
    cursor: str | None = None
    while True:
        page = client.sagas(status, label, size, cursor)
        items += [it for it in page["items"] if name is None or fnmatchcase(it["name"], name)]
        cursor = page["next_cursor"]
        if cursor is None or (limit is not None and len(items) >= limit):
            return items[:limit]


def _sagas(items: Sequence[Mapping[str, Any]]) -> Table:
    now = datetime.now(UTC)
    table = grid("SAGA", "NAME", "STATUS", "AGE", "LABELS", folding={"NAME", "LABELS"})
    for it in items:
        age = seconds_in_words((now - datetime.fromisoformat(it["created_at"])).total_seconds())
        labels = " ".join(f"{key}={value}" for key, value in it["labels"].items())
        table.add_row(it["id"], Text(printable(it["name"])), Text(*status(it)), age, Text(printable(labels)))
    return table


def _headline(document: Mapping[str, Any]) -> Text:
    return Text.assemble((document["id"], "bold"), f"  {printable(document['name'])}  ", status(document))


def _all_resources(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    """A table of them; of many how many have which status, what is wrong or moves, and how to see the others."""
    resources = in_order(document)
    if not is_large(document):
        yield _resources(resources)
        return
    yield counts_line(counts_of(resources))
    yield _resources(most_telling(resources, MOST_LINES))
    more = len(resources) - MOST_LINES
    yield Text(f"and {more:,} more: `skysaga get {document['id']} -o json` has all of them", style="dim")


def _resources(resources: Sequence[Mapping[str, Any]]) -> Table:
    table = grid("RESOURCE", "CLOUD", "KIND", "STATUS", _OUTCOME, folding={"RESOURCE", _OUTCOME})
    for it in resources:
        about = it["error"] or it["cloud_id"] or "-"
        cells = (it["id"], it["provider"], it["kind"])
        table.add_row(*(Text(printable(cell)) for cell in cells), Text(*status(it)), Text(printable(about)))
    return table


def _cost(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What it has cost by currency, and until when; a late source is named, since its hours look cheap."""
    for it in document.get("cost", []):
        yield f"cost  {it['billed']} {it['currency']} billed, {it['effective']} effective, through {it['through']}"
    if not document.get("cost"):
        yield Text("cost  nothing is known yet; `skysaga costs` says how fresh each source is")
    if late := document.get("cost_freshness", {}).get("late_sources"):
        yield Text(f"      late: {printable(', '.join(late))}: it may have cost more", style="bold")
