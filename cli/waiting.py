"""Waiting for a saga to end: until it has, or its deadline has passed, or somebody does not want to wait any more."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import click

from cli.asking import ask
from cli.durations import Deadline
from cli.failures import DEADLINE, INTERRUPTED, UNREACHABLE, Failure, code_of_ending, failure_of_problem
from cli.following import DeadlinePassed, Following, Interrupted, patiently
from cli.output import notice
from cli.problems import ApiProblem, Unreachable
from cli.progress import Progress

if TYPE_CHECKING:
    from cli.client import ApiClient

COMMITTED: Final = frozenset({"COMMITTED"})
GONE: Final = frozenset({"ROLLED_BACK", "RELEASED"})
AS_WANTED: Final = COMMITTED | {"RELEASED"}
"""Of a saga of which nobody knows what was wanted of it: a roll-back was not."""

_DETACH: Final = "detach"
_CANCEL: Final = "cancel"
_STAY: Final = "stay"


def wait_for(
    client: ApiClient, following: Following, saga_id: str, shown: Progress, deadline: Deadline, wanted: frozenset[str]
) -> None:
    """Show a saga until it has ended, and end the command unless it ended with one of `wanted`.

    Ctrl-C on a terminal asks whether to leave it running or to have it undone; elsewhere it leaves it running.
    """
    try:
        saga = patiently(lambda: client.get(saga_id))
        if not shown.start(saga):
            following.leave_out(saga)
        with following:
            while not _shown_to_its_end(following, shown, deadline):
                shown.pause()
                _interrupted(client, following, saga_id)
                shown.resume()
        saga = patiently(lambda: client.get(saga_id))
        shown.finish(saga)
    except DeadlinePassed:
        shown.pause()
        message = f"the time is up; the saga goes on. `skysaga watch {saga_id}` follows it."
        raise Failure(message, DEADLINE) from None
    except Unreachable as error:
        message = f"{error}; the saga goes on without you. `skysaga watch {saga_id}` takes it up again."
        raise Failure(message, UNREACHABLE) from error
    except ApiProblem as problem:
        if problem.status == HTTPStatus.NOT_FOUND:
            raise
        failure = failure_of_problem(problem)
        message = f"{failure.message}\nThe saga goes on without you: `skysaga watch {saga_id}` takes it up again."
        raise Failure(message, failure.exit_code) from problem
    except KeyboardInterrupt:
        raise Failure(_left_running(saga_id), INTERRUPTED) from None
    finally:
        shown.pause()
    if code := code_of_ending(saga["status"], wanted):
        raise click.exceptions.Exit(code)


def _shown_to_its_end(following: Following, shown: Progress, deadline: Deadline) -> bool:
    """Whether the saga has ended; not yet where somebody interrupted."""
    try:
        for event in following.events(deadline):
            shown.show(event)
    except Interrupted:
        return False
    return True


def _interrupted(client: ApiClient, following: Following, saga_id: str) -> None:
    """Leave it running, have it undone, or go on as before: whatever they want who pressed Ctrl-C."""
    following.leave_interrupts()
    answer = _asked() if sys.stdin.isatty() and sys.stderr.isatty() else _DETACH
    if answer == _DETACH:
        raise Failure(_left_running(saga_id), INTERRUPTED)
    following.take_interrupts()
    if answer == _CANCEL:
        _cancel(client, saga_id)


def _left_running(saga_id: str) -> str:
    return f"left running: `skysaga watch {saga_id}` follows it, `skysaga cancel {saga_id}` undoes it."


def _asked() -> str:
    notice("\ndetach leaves it running, cancel undoes it, stay goes on watching; Ctrl-C again detaches")
    try:
        while True:
            typed = ask("detach, cancel or stay? [detach]:") or _DETACH
            if chosen := [answer for answer in (_DETACH, _CANCEL, _STAY) if answer.startswith(typed)]:
                return chosen[0]
    except KeyboardInterrupt:
        notice("")
        return _DETACH


def _cancel(client: ApiClient, saga_id: str) -> None:
    try:
        client.cancel(saga_id)
    except ApiProblem as problem:
        notice(f"it is not undone: {failure_of_problem(problem).message}")
    except Unreachable as error:
        notice(f"{error}: whether it is undone is not known; press Ctrl-C and cancel once more")
    else:
        notice("cancelled: everything is undone")
