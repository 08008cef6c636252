"""How a command ends: the exit codes that scripts rely on, and what is said when it could not do what it was asked for.

Every message says what is wrong, whose move it is, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import click

from cli.problems import ApiProblem, Unreachable, Unsigned

DONE: Final = 0
FAILED: Final = 1
BAD_INPUT: Final = 2
NEEDS_ATTENTION: Final = 3
UNREACHABLE: Final = 4
DEADLINE: Final = 5
INTERRUPTED: Final = 130
"""As shells have it: 128, and 2 for SIGINT."""

_CONFLICTS: Final = frozenset({409, 412})

_NEXT: Final[Mapping[int, str]] = {
    401: "Nobody knows you there. `skysaga doctor` says as whom you call; a token may have run out.",
    403: "It is about who you are: `skysaga doctor` says as whom you call, and an operator can grant it"
    " (docs/targets-and-grants.md).",
    404: "Check the name: `skysaga list` and `skysaga clusters` show those that are yours.",
    409: "Nothing was done. `skysaga get` says where the saga stands.",
    412: "Somebody changed it meanwhile. Nothing was done: look at it, and repeat the command.",
    429: "Nothing is wrong with the request: repeat the command in a moment.",
}
_YOURS: Final = "Nothing was done. Change what is named, and repeat the command."
_THEIRS: Final = (
    "This is not about your request: repeat the command in a moment; if it stays, the deployment's operator has"
    " to look (docs/operations.md)."
)


class Failure(click.ClickException):
    """Ends a command with a message and an exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # click declares it for the class, and reads it of the instance


def code_of_problem(status: int) -> int:
    """The exit code for an HTTP status that the API refuses with.

    What its caller must change is bad input, whoever they are included; what the saga's standing does not allow has
    failed; what the deployment cannot do at present is as good as unreachable.
    """
    if status in _CONFLICTS:
        return FAILED
    return UNREACHABLE if status == 429 or status >= 500 else BAD_INPUT


def code_of_ending(status: str, wanted: frozenset[str]) -> int:
    """The exit code for the status that a saga ended with, when one of `wanted` was."""
    if status in wanted:
        return DONE
    return NEEDS_ATTENTION if status == "NEEDS_ATTENTION" else FAILED


def failure_of_problem(problem: ApiProblem) -> Failure:
    """What is said of a refusal: its own words, and what to do next."""
    advice = _NEXT.get(problem.status) or (_YOURS if problem.status < 500 else _THEIRS)
    return Failure(f"{problem}\n{advice}", code_of_problem(problem.status))


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the API refuses ends a command with its words; what does not answer at all, with another exit code."""
    try:
        yield
    except ApiProblem as problem:
        raise failure_of_problem(problem) from problem
    except Unreachable as error:
        raise Failure(f"{error}; is it where you think? `skysaga doctor` looks into it.", UNREACHABLE) from error
    except Unsigned as error:
        raise Failure(
            f"{error}\nSign in again, or give --profile; `skysaga doctor` looks into it.", BAD_INPUT
        ) from error
    except (KeyboardInterrupt, click.Abort) as error:
        raise Failure("interrupted; whatever the deployment was asked for goes on there.", INTERRUPTED) from error
