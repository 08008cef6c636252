"""`skysaga get`: one saga, its resources, and what it costs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.endpoint import api_client, endpoint_options, told_plainly

_WIDTH: Final = 160
"""Of a table that is not for a terminal: nothing of it is cut off."""


@click.command()
@click.argument("saga")
@endpoint_options
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", help="For people or programs.")
def get(saga: str, endpoint: str | None, profile: str | None, region: str | None, output: str) -> None:
    """Show the saga whose id is SAGA: its resources, and what it costs once that is known."""
    with told_plainly():
        document = api_client(endpoint, profile, region).get(saga)
    if output == "json":
        click.echo(json.dumps(document, indent=2))
        return
    console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
    console.print(f"{document['id']}  {escape(document['name'])}  [bold]{document['status']}[/bold]")
    console.print(_resources(document["resources"]))
    console.print(*_cost(document), sep="\n")


def _resources(resources: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("RESOURCE", "PROVIDER", "KIND", "STATUS", "READY"):
        table.add_column(heading, no_wrap=True)
    table.add_column("CLOUD ID OR ERROR", overflow="fold")
    for it in resources:
        about = it["error"] or it["cloud_id"] or "-"
        cells = [it["id"], it["provider"], it["kind"], it["status"], it["ready_at"] or "-", about]
        table.add_row(*map(escape, cells))
    return table


def _cost(document: dict[str, Any]) -> Iterator[str]:
    """What it has cost by currency, and until when; a late source is named, since its hours look cheap."""
    for it in document.get("cost", []):
        yield f"cost  {it['billed']} {it['currency']} billed, {it['effective']} effective, through {it['through']}"
    if not document.get("cost"):
        yield "cost  nothing is known yet; `skysaga costs` says how fresh each source is"
    if late := document.get("cost_freshness", {}).get("late_sources"):
        yield f"      [bold]late: {escape(', '.join(late))}[/bold]: it may have cost more"
