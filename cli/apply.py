"""`skysaga apply`: submit a request, and see it through."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import click

from cli.documents import RequestDocument, read_document
from cli.durations import Deadline, timeout_option
from cli.endpoint import client_option
from cli.failures import DEADLINE, UNREACHABLE, Failure
from cli.following import Following, may_pass
from cli.output import TABLE, notice, output_option, show, stream
from cli.problems import ApiProblem, Unreachable
from cli.progress import progress
from cli.waiting import COMMITTED, wait_for

if TYPE_CHECKING:
    from cli.api import Accepted
    from cli.client import ApiClient

_PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try to submit; all of them with the same key."""


@click.command()
@click.argument("file")
@client_option
@output_option
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow it until it has ended.")
@timeout_option
@click.option(
    "--key", help="The Idempotency-Key: the same key and request again are the same saga; a new one if left out."
)
def apply(file: str, client: ApiClient, output: str, wait: bool, timeout: float | None, key: str | None) -> None:
    """Create what FILE asks for: all of it, or nothing.

    FILE is a request, in YAML or JSON; - reads it from stdin. Exits with 0 once everything is ready, with 1 when it was
    rolled back, and with 3 when something could not be removed. Ctrl-C asks whether to leave it running or to undo it.
    """
    deadline = Deadline(timeout)
    accepted = _submit(client, read_document(file), key or str(uuid4()), deadline)
    if not wait:
        said = f"{accepted['id']} accepted; `skysaga watch {accepted['id']}` follows it"
        show(output, "accepted", accepted, said)
        return
    if output != TABLE:
        stream(output, "accepted", accepted)
    saga_id = accepted["id"]
    wait_for(client, Following(client, saga_id), saga_id, progress(output), deadline, COMMITTED)


def _submit(client: ApiClient, document: RequestDocument, key: str, deadline: Deadline) -> Accepted:
    """The saga that a request became; repeated under the same key where nobody knows whether it arrived."""
    for pause in (*_PAUSES, None):
        try:
            return client.submit(document.content, document.media_type, key)
        except (ApiProblem, Unreachable) as error:
            if not may_pass(error):
                raise
            if pause is None or deadline.left(pause) < pause:
                raise _not_known(error, key, deadline) from error
            notice(f"not accepted yet ({str(error).partition(chr(10))[0]}); trying again with the same key")
        time.sleep(pause)
    raise AssertionError("the last try either returns or raises")


def _not_known(error: Exception, key: str, deadline: Deadline) -> Failure:
    again = f"Whether the request was accepted is not known; repeat it as the same saga with --key {key}"
    return Failure(f"{error}\n{again}", DEADLINE if deadline.passed else UNREACHABLE)
