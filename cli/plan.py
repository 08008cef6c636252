"""`skysaga plan`: what would become of a request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import RenderableType
from rich.text import Text

from cli.documents import read_document
from cli.endpoint import client_option
from cli.failures import FAILED
from cli.output import MOST_NAMED, grid, output_option, printable, show, some

if TYPE_CHECKING:
    from cli.client import ApiClient


_AT_ONCE: Final = "CREATED AT ONCE, WHEN EVERYTHING BEFORE IS READY"


@click.command(short_help="Show what FILE would create, and its price.")
@click.argument("file")
@client_option
@output_option
def plan(file: str, client: ApiClient, output: str) -> None:
    """Show what FILE would create, in which order, what the clouds are short of, and what it costs by the hour.

    FILE is a request, in YAML or JSON; - reads it from stdin. Creates nothing. Exits with 1 where a cloud would refuse
    something.
    """
    answer = client.plan(*read_document(file))
    show(output, "plan", answer, *_shown(answer))
    if answer["shortages"]:
        raise click.exceptions.Exit(FAILED)


def _shown(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    count = sum(map(len, answer["order"]))
    yield Text.assemble((printable(answer["name"]), "bold"), f"  {count} resource{'' if count == 1 else 's'}")
    waves = grid("WAVE", _AT_ONCE, folding={_AT_ONCE})
    for number, wave in enumerate(answer["order"], 1):
        waves.add_row(str(number), Text(some(wave)))
    yield waves
    yield from _prices(answer)
    for it in answer["shortages"]:
        yield _shortage(it)
    for it in answer["unchecked"]:
        text = f"not checked: {it['provider']}: {it['reason']}; what it would refuse shows when it is applied"
        yield Text(printable(text), style="yellow")
    if not answer["shortages"]:
        checked = "every cloud that could be asked has" if answer["unchecked"] else "every cloud has"
        yield Text(f"{checked} room for it now; that is a look ahead, not a reservation", style="green")


def _shortage(it: Mapping[str, Any]) -> Text:
    """One line for what is short; its message says how much of what."""
    where = f"{it['provider']} {it['location']}".strip()
    resources = some(it["resources"])
    return Text.assemble(
        ("short: ", "bold red"),
        printable(where),
        " for ",
        (resources, "bold"),
        f": {printable(it['message'])}",
    )


def _prices(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """What is known of each resource's price, the sum in each currency, and what is not known."""
    table = grid("RESOURCE", "PER HOUR", "CURRENCY", "BASIS", folding={"RESOURCE", "BASIS"})
    for it in answer["prices"][:MOST_NAMED]:
        table.add_row(*(Text(printable(it[field])) for field in ("resource", "hourly", "currency", "basis")))
    if answer["prices"]:
        yield table
    if (more := len(answer["prices"]) - MOST_NAMED) > 0:
        yield Text(f"and {more:,} more: -o json has all of them", style="dim")
    priced = {it["resource"] for it in answer["prices"]}
    missing = [resource for wave in answer["order"] for resource in wave if resource not in priced]
    known = " + ".join(f"{it['amount']} {it['currency']}" for it in answer["hourly"]) or "not known"
    rest = f", and what {some(missing)} costs, which is not known" if missing and answer["hourly"] else ""
    yield Text(printable(f"per hour in all: {known}{rest}"), style="bold")
    for it in answer["unpriced"]:
        yield Text(printable(f"no prices of {it['provider']}: {it['reason']}"), style="yellow")
