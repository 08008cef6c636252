"""What a saga is told to do: `skysaga approve`, `cancel`, `resume` and `destroy`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from cli.asking import ask
from cli.completion import complete_sagas
from cli.durations import Deadline, timeout_option
from cli.endpoint import client_option
from cli.failures import BAD_INPUT, Failure
from cli.following import Following
from cli.output import TABLE, output_option, printable, show, some, stream
from cli.progress import progress
from cli.states import ENDINGS
from cli.waiting import COMMITTED, GONE, wait_for

if TYPE_CHECKING:
    from cli.api import Accepted
    from cli.client import ApiClient

_saga_argument: Final = click.argument("saga", shell_complete=complete_sagas)


def _waiting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of an order that takes its time."""
    wait = click.option("--wait/--no-wait", default=False, show_default=True, help="Follow it until it has ended.")
    return wait(timeout_option(command))


@click.command()
@_saga_argument
@client_option
@output_option
@_waiting
def approve(saga: str, client: ApiClient, output: str, wait: bool, timeout: float | None) -> None:
    """Let SAGA go on, which waits for approval."""
    order = _Order(client, saga, output, wait, timeout, COMMITTED)
    order.give(client.approve, "approved; it goes on", over=ENDINGS)


@click.command()
@_saga_argument
@client_option
@output_option
@_waiting
def cancel(saga: str, client: ApiClient, output: str, wait: bool, timeout: float | None) -> None:
    """Undo SAGA, which has not committed."""
    order = _Order(client, saga, output, wait, timeout, GONE)
    order.give(client.cancel, "cancelled; what exists of it is removed")


@click.command(short_help="Try again to remove what SAGA left behind.")
@_saga_argument
@client_option
@output_option
@_waiting
def resume(saga: str, client: ApiClient, output: str, wait: bool, timeout: float | None) -> None:
    """Try again to remove what SAGA had to leave behind, which needs attention."""
    order = _Order(client, saga, output, wait, timeout, GONE)
    order.give(client.resume, "resumed; what is left of it is removed")


@click.command(short_help="Remove everything that SAGA holds.")
@_saga_argument
@client_option
@output_option
@_waiting
@click.option("--yes", is_flag=True, help="Do not ask. Without a terminal nobody is asked anyway.")
def destroy(saga: str, client: ApiClient, output: str, wait: bool, timeout: float | None, yes: bool) -> None:
    """Remove everything that SAGA holds; asks first, on a terminal."""
    if not yes and sys.stdin.isatty():
        _confirm(client.get(saga))
    order = _Order(client, saga, output, wait, timeout, GONE)
    order.give(client.destroy, "is being destroyed")


class _Order:
    """One order to one saga, waited for if that is wanted."""

    def __init__(
        self, client: ApiClient, saga: str, output: str, wait: bool, timeout: float | None, wanted: frozenset[str]
    ) -> None:
        self._client = client
        self._saga = saga
        self._output = output
        self._wait = wait
        self._deadline = Deadline(timeout)
        self._wanted = wanted

    def give(self, order: Callable[[str], Accepted], said: str, over: frozenset[str] = GONE) -> None:
        """Give it, and say so; then wait, from the version that the saga had before.

        A saga that is `over` once the order was taken has nothing to come because of it: it was given before.
        """
        before = self._client.header(self._saga) if self._wait else None
        accepted = order(self._saga)
        if before is None:
            show(self._output, "accepted", accepted, f"{accepted['id']} {said}")
            return
        if self._output != TABLE:
            stream(self._output, "accepted", accepted)
        beyond = None if accepted["status"] in over else before["version"]
        following = Following(self._client, self._saga, after=before["events_cursor"], beyond=beyond)
        wait_for(self._client, following, self._saga, progress(self._output), self._deadline, self._wanted)


def _confirm(saga: Mapping[str, Any]) -> None:
    """Ask whether all of it is to go; ends the command where it is not."""
    holds = [it["id"] for it in saga["resources"] if it["cloud_id"] and it["status"] != "ABSENT"]
    what = printable(f"{saga['id']} ({saga['name']}, {saga['status']})")
    question = f"Destroy {what} with all it holds: {some(holds) or 'nothing that is known of'}?"
    if ask(f"{question} [y/N]:") not in ("y", "yes"):
        raise Failure("nothing was destroyed.", BAD_INPUT)
