"""`skysaga sweep`: compare the clouds with the ledger now, instead of at the next hour."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import RenderableType
from rich.text import Text

from cli.durations import Deadline, timeout_option
from cli.endpoint import client_option
from cli.failures import DEADLINE, FAILED, Failure
from cli.following import PATIENCE_SECONDS, may_pass
from cli.output import TABLE, grid, notice, output_option, printable, show
from cli.problems import ApiProblem, Unreachable

if TYPE_CHECKING:
    from cli.api import Sweep
    from cli.client import ApiClient

_LOOK_SECONDS: Final = 1.0
_RUNNING: Final = "RUNNING"
_COMPLETE: Final = "COMPLETE"


@click.command()
@client_option
@output_option
@click.option("--dry-run", is_flag=True, help="Only look: release nothing.")
@timeout_option
def sweep(client: ApiClient, output: str, dry_run: bool, timeout: float | None) -> None:
    """Find what should not exist, release it, and show it.

    What carries skysaga's mark and belongs to no saga of this ledger is shown and never touched. Exits with 1 where
    some target could not be looked at.
    """
    deadline = Deadline(timeout)
    begun = client.start_sweep(dry_run)
    if output == TABLE:
        notice(f"sweep {begun['id']} is looking at every target")
    found = _ended(client, begun, deadline)
    show(output, "sweep", found, *_shown(found))
    if found["status"] != _COMPLETE:
        raise click.exceptions.Exit(FAILED)


def _ended(client: ApiClient, found: Sweep, deadline: Deadline) -> Sweep:
    """The sweep once it has ended; a connection that breaks meanwhile is taken up again."""
    sweep_id, silent_since = found["id"], time.monotonic()
    while found["status"] == _RUNNING:
        if deadline.passed:
            message = f"the time is up; sweep {sweep_id} goes on, and what it should release is released."
            raise Failure(message, DEADLINE)
        time.sleep(deadline.left(_LOOK_SECONDS))
        try:
            found, silent_since = client.sweep(sweep_id), time.monotonic()
        except (ApiProblem, Unreachable) as error:
            if not may_pass(error) or time.monotonic() - silent_since > PATIENCE_SECONDS:
                raise
    return found


def _shown(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    result = found["result"]
    if result is None:
        yield Text(printable(f"The sweep failed, and decided nothing: {found['error']}"), style="bold red")
        return
    yield from _section(result["orphans"], "orphans: their sagas are over", _FINDING)
    yield from _section(result["unknown"], "unknown: of no saga of this ledger, and never touched", _FINDING)
    yield from _section(result["overdue"], "overdue: nobody works on these sagas any more", _OVERDUE)
    yield from _section(result["not_swept"], "not swept: these could not be looked at", _TARGET)
    yield Text(_verdict(found, result), style="bold")


def _section(items: list[dict[str, Any]], title: str, columns: Mapping[str, str]) -> Iterator[RenderableType]:
    if not items:
        return
    yield Text(f"{len(items)} {title}", style="bold yellow")
    *headings, folding = columns
    table = grid(*headings, folding=folding)
    for it in items:
        table.add_row(*(Text(printable(it[field])) for field in columns.values()))
    yield table


_FINDING: Final = {
    "CLOUD": "cloud",
    "TARGET": "target",
    "SAGA": "saga_id",
    "RESOURCE": "resource_id",
    "CLOUD ID": "cloud_id",
}
_OVERDUE: Final = {"SAGA": "saga_id", "STATUS": "status", "RELEASED BECAUSE OF": "reason"}
_TARGET: Final = {"CLOUD": "cloud", "TARGET": "target", "ERROR": "error"}


def _verdict(found: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    count: Callable[[str], int] = lambda name: len(result[name])  # noqa: E731
    if not any(map(count, ("orphans", "unknown", "overdue", "not_swept"))):
        return "Every target was looked at, and nothing is where it should not be."
    if found["dry_run"]:
        return "A dry run: nothing was released. Without --dry-run the orphans and what is overdue are."
    return f"{count('releases')} releases were started."
