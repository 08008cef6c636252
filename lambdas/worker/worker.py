"""From a message of a cluster's queue to the answer that a state machine waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, cast

from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ConfigDict

from lambdas.adapters.observability import observed
from lambdas.core.errors import RetryableError
from lambdas.core.ports.tasks import Tasks
from lambdas.core.steps.results import StepResult
from lambdas.core.steps.working import TaskKind, WorkSteps
from lambdas.worker.patience import BEAT_SECONDS, Patience


class Task(BaseModel):
    """What a state machine sends to a cluster's queue."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    task: TaskKind
    saga_id: str
    resource_id: str
    token: str


class Worker:
    """Does one task at a time, as often as it is asked; the same on AWS and inside a private network."""

    def __init__(self, steps: WorkSteps, tasks: Tasks) -> None:
        self._steps = steps
        self._tasks = tasks

    def do(
        self,
        body: str,
        context: LambdaContext,
        *,
        keep: Callable[[], None],
        over: Callable[[], bool],
        wait: Callable[[float], object],
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        """Do the task of a message and answer it; once this returns, the message can be deleted.

        `keep` is called every `beat_seconds` to say that the message is being worked on, `over` says when to hand the
        task back, and `wait` lets seconds pass. A step's error is an answer, too. Raises RetryableError when the answer
        could not be given, and ValidationError for a message that is no task.
        """
        task = Task.model_validate_json(body)
        patience = Patience(lambda: self._beat(task, keep), over, wait, beat_seconds)
        self._beat(task, keep)
        try:
            result = self._observed(task, patience, context)
        except Exception as error:  # its name and what is safe of its text are all that `observed` lets through
            self._tasks.fail(task.token, type(error).__name__, str(error))
        else:
            self._tasks.succeed(task.token, result)

    def _observed(self, task: Task, patience: Patience, context: LambdaContext) -> StepResult:
        @observed("work")
        def work(_: dict[str, Any], __: LambdaContext) -> Mapping[str, Any]:
            return self._steps.work(task.task, task.saga_id, task.resource_id, patience.pause)

        return cast(StepResult, work(task.model_dump(include={"saga_id", "resource_id"}), context))

    def _beat(self, task: Task, keep: Callable[[], None]) -> None:
        """A beat that does not arrive is made up for by the next; without any, somebody else takes over."""
        with suppress(RetryableError):
            self._tasks.beat(task.token)
        with suppress(RetryableError):
            keep()
