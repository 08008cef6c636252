"""`skysaga costs`: what things cost, by currency, with a chart, and with a word on every source that is late."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.text import Text

from cli.cost_chart import charts
from cli.cost_export import FORMATS, export_costs
from cli.cost_freshness import freshness_lines, headline
from cli.endpoint import client_option
from cli.failures import FAILED, Failure
from cli.output import TABLE, notice, output_option, show, stdout
from cli.problems import ApiProblem

if TYPE_CHECKING:
    from cli.api import CostPage
    from cli.client import ApiClient

_WIDTH: Final = 120
"""Of a chart that is not for a terminal."""

_PAGE: Final = "1000"
_PATIENCE: Final = 60
"""How often the same question is asked while its answer is still being found, for up to half a minute each time."""
_RETRY_SECONDS: Final = 2

_GROUPS: Final = (
    "Group by saga, provider, service, account, region, source, day, month or label:KEY; by several as provider,day."
)
_SET_IN: Final = 6
"""Of a line that is continued: so many characters."""

_FILTERS: Final = {
    "saga": "Of these sagas only.",
    "provider": "Of these providers only: aws, azure, gcp, vsphere or scvmm.",
    "service": "Of this service only, as the bill calls it.",
    "account": "Of these accounts, subscriptions or projects only.",
    "in-region": "Of these regions of a cloud only.",
    "source": "Of these sources only.",
    "month": "Billed in these months only, as 2026-11.",
}


def _filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for name, text in reversed(_FILTERS.items()):
        command = click.option(f"--{name}", help=text)(command)
    return command


@click.command(short_help="Show what things cost, by currency.")
@client_option
@click.option("--by", "group_by", help=_GROUPS)
@click.option("--from", "first", help="The first day, as 2026-11-01; the first of the month if left out.")
@click.option("--to", "last", help="The last day; today if left out.")
@click.option("--label", help="Of what carries this label or tag only: KEY=VALUE.")
@_filter_options
@output_option
@click.option(
    "--export", type=click.Path(dir_okay=False, path_type=Path), help="Also write it to a .csv, .json or .parquet."
)
def costs(client: ApiClient, output: str, export: Path | None, **asked: str | None) -> None:
    """Show what things cost: of your own sagas, or of everything if you were granted that.

    Amounts are billed costs. Currencies are never added up nor converted.
    """
    if export is not None and export.suffix not in FORMATS:
        raise click.UsageError(f"what is {export.name} to be? its name must end in {', '.join(FORMATS)}")
    document = _everything(client, _parameters(asked))
    if export is not None:
        with _written(export):
            export_costs(document, export)
    if output == TABLE:
        _show(stdout(_WIDTH), document)
        return
    show(output, "costs", document)
    Console(stderr=True, highlight=False).print(*headline(document["freshness"]), sep="\n", end="")


def _parameters(asked: dict[str, str | None]) -> dict[str, str]:
    names = {"first": "from", "last": "to", "in_region": "region"}
    return {names.get(name, name): value for name, value in asked.items() if value is not None}


def _everything(client: ApiClient, parameters: dict[str, str]) -> CostPage:
    """Every line of the answer in one document, in the form of a page."""
    document = _page(client, {**parameters, "limit": _PAGE})
    while cursor := document["next_cursor"]:
        page = _page(client, {**parameters, "limit": _PAGE, "cursor": cursor})
        document = {**page, "items": [*document["items"], *page["items"]]}
    return document


def _page(client: ApiClient, parameters: dict[str, str]) -> CostPage:
    for _ in range(_PATIENCE):
        try:
            return client.costs(parameters)
        except ApiProblem as problem:
            if problem.status != 503:
                raise
        notice("the answer is not there yet")
        time.sleep(_RETRY_SECONDS)
    return client.costs(parameters)


def _show(console: Console, document: CostPage) -> None:
    now = datetime.now(UTC)
    console.print(*headline(document["freshness"]), sep="\n", end="")
    if document["items"]:
        console.print(*charts(document["group_by"], document["items"], console.width), sep="\n")
    else:
        console.print("Nothing of this is known to cost anything.")
    if document["costs"] == "own":
        console.print("Only of your own sagas; everything takes the grant `costs: all` (docs/targets-and-grants.md).")
    lines = [_set_in(it, console) for it in freshness_lines(document["freshness"], now)]
    console.print("", *_days(document), *lines, sep="\n")


def _days(document: CostPage) -> Iterator[Text]:
    """Which days were asked for, where any were: nobody takes half a month for a whole one."""
    if document["from"]:
        yield Text(f"Charges of {document['from']} to {document['to']} (UTC), as far as they are known:", style="dim")


def _set_in(line: Text, console: Console) -> Text:
    """A line that goes on where another one begins is hard to read."""
    return Text("\n" + " " * _SET_IN).join(line.wrap(console, console.width - _SET_IN))


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}", FAILED) from error
