"""Retry and Catch: which failures they match, how long a retry waits, what a catcher hands on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.errors import DATA_LIMIT, HEARTBEAT, RUNTIME, TASK_FAILED, TIMEOUT, StateFailure
from local.stepfunctions.jsontext import Json

LONGEST_DELAY = 365 * 24 * 3600  # no execution lasts longer


def matches(error_equals: tuple[str, ...], failure: StateFailure) -> bool:
    """Whether an ErrorEquals list takes this failure: exact names, States.ALL and States.TaskFailed."""
    if failure.error is not None and failure.error in error_equals:
        return True
    if failure.heartbeat and HEARTBEAT in error_equals:
        return True
    if "States.ALL" in error_equals:
        return failure.catchable_by_all
    return TASK_FAILED in error_equals and failure.from_task and failure.error not in (TIMEOUT, RUNTIME, DATA_LIMIT)


@dataclass(frozen=True, slots=True)
class Retrier:
    """One Retry entry; times in seconds."""

    error_equals: tuple[str, ...]
    interval: float = 1
    max_attempts: int = 3
    backoff_rate: float = 2.0
    max_delay: float | None = None
    full_jitter: bool = False

    def delay(self, attempt: int, random: Random) -> float:
        """Seconds to wait before the retry numbered `attempt`, counted from 0."""
        limit = LONGEST_DELAY if self.max_delay is None else self.max_delay
        try:
            seconds = min(self.interval * self.backoff_rate**attempt, limit)
        except OverflowError:
            seconds = limit
        return random.uniform(0, seconds) if self.full_jitter else seconds


@dataclass(frozen=True, slots=True)
class Catcher:
    """One Catch entry: `output(raw input, error output, environment)` is the next state's input."""

    error_equals: tuple[str, ...]
    next: str
    output: Callable[[Json, Json, Environment], Json]
    assign: Callable[[Json, Environment], dict[str, Json]] | None


def error_output(failure: StateFailure) -> dict[str, Json]:
    """What a catcher passes on: Error and Cause, each left out when there is none, but "" for a task's timeout."""
    timed_out = failure.from_task and failure.error == TIMEOUT
    parts = {"Error": failure.error, "Cause": "" if timed_out and failure.cause is None else failure.cause}
    return {key: value for key, value in parts.items() if value is not None}
