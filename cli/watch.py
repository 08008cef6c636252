"""`skysaga watch` and `skysaga events`: a saga as it happens, and as it happened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
from rich.text import Text

from cli.completion import complete_sagas
from cli.durations import Deadline, timeout_option
from cli.endpoint import client_option
from cli.failures import DEADLINE, Failure
from cli.following import DeadlinePassed, Following, Interrupted
from cli.output import TABLE, output_option, show, stdout, stream
from cli.progress import event_line, progress
from cli.waiting import AS_WANTED, wait_for

if TYPE_CHECKING:
    from cli.api import EventPage
    from cli.client import ApiClient


@click.command(short_help="Follow SAGA until it has ended.")
@click.argument("saga", shell_complete=complete_sagas)
@client_option
@output_option
@timeout_option
def watch(saga: str, client: ApiClient, output: str, timeout: float | None) -> None:
    """Follow SAGA from its beginning until it has ended.

    Exits with 0 when it committed or was destroyed as it was told to, with 1 when it was rolled back, and with 3 when
    something could not be removed.
    """
    following = Following(client, saga)
    wait_for(client, following, saga, progress(output), Deadline(timeout), AS_WANTED)


def _usable(_: click.Context, __: click.Parameter, cursor: str) -> str:
    if not re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,11})*", cursor):
        raise click.BadParameter("a cursor is whole numbers, separated by dots: that of an event, or a next_cursor")
    return cursor


@click.command(short_help="Show what happened to SAGA, in order.")
@click.argument("saga", shell_complete=complete_sagas)
@client_option
@output_option
@click.option(
    "--after",
    default="0",
    callback=_usable,
    show_default=True,
    help="Only those after this: the number of an event, or a next_cursor.",
)
@click.option("--follow", is_flag=True, help="Go on until the saga has ended, each event as it happens.")
@timeout_option
def events(saga: str, client: ApiClient, output: str, after: str, follow: bool, timeout: float | None) -> None:
    """Show what happened to SAGA, in order: every status, and every fault that passed."""
    if follow:
        _follow(Following(client, saga, after=after), output, Deadline(timeout))
        return
    page = _everything(client, saga, after)
    lines = [event_line(it) for it in page["items"]] or [Text("Nothing happened after that.")]
    show(output, "events", page, *lines)


def _everything(client: ApiClient, saga: str, after: str) -> EventPage:
    """Every event so far in one document, in the form of a page: the API gives a hundred at a time.

    Those of a large saga come in the order of time within a page alone.
    """
    page = client.events(saga, after)
    items = page["items"]
    while (page := client.events(saga, page["next_cursor"]))["items"]:
        items += page["items"]
    return {**page, "items": sorted(items, key=lambda it: it["at"])}


def _follow(following: Following, output: str, deadline: Deadline) -> None:
    console = stdout()
    try:
        with following:
            for event in following.events(deadline):
                if output == TABLE:
                    console.print(event_line(event), soft_wrap=True)
                    console.file.flush()
                else:
                    stream(output, "event", event)
    except DeadlinePassed:
        message = f"the time is up; the saga goes on. --after {following.cursor} goes on with what comes then."
        raise Failure(message, DEADLINE) from None
    except Interrupted:
        raise KeyboardInterrupt from None
