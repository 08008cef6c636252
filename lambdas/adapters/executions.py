"""Starting state machines on Step Functions, waking them, and answering the tasks they wait for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, TypedDict

from lambdas.adapters.refusals import retryable
from lambdas.core.steps.saga import ReleaseReason

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_LONGEST_CAUSE: Final = 32_768
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html"""


_LONGEST_TRACE: Final = 256
"""https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html"""


class TraceHeader(TypedDict, total=False):
    """What a start says of the trace that it is part of."""

    traceHeader: str


def no_longer_awaited(client: SFNClient) -> tuple[type[Exception], ...]:
    """What Step Functions answers about a task that has ended or timed out."""
    return (client.exceptions.TaskDoesNotExist, client.exceptions.TaskTimedOut)


class StepFunctionsTasks:
    """Answers the tasks that state machines wait for; what nobody waits for any more is left alone."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def succeed(self, token: str, result: Mapping[str, Any]) -> None:
        """End a task with what is to happen next; raises RetryableError."""
        with _retryable("answered"), suppress(*no_longer_awaited(self._client)):
            self._client.send_task_success(taskToken=token, output=json.dumps(result))

    def fail(self, token: str, error: str, cause: str) -> None:
        """End a task with an error, by the name that a state machine catches it under; raises RetryableError."""
        with _retryable("answered"), suppress(*no_longer_awaited(self._client)):
            self._client.send_task_failure(taskToken=token, error=error, cause=cause[:_LONGEST_CAUSE])

    def beat(self, token: str) -> bool:
        """Say that somebody is at work on a task; returns whether anybody waits for it; raises RetryableError."""
        with _retryable("told"), suppress(*no_longer_awaited(self._client)):
            self._client.send_task_heartbeat(taskToken=token)
            return True
        return False


class StepFunctionsExecutions:
    """Starts executions under names that make a second start of the same one harmless."""

    def __init__(self, client: SFNClient, provisioning: str, release: str) -> None:
        self._client = client
        self._provisioning = provisioning
        self._release = release

    def start_provisioning(self, saga_id: str) -> None:
        """Start provisioning a saga that is in the ledger; raises RetryableError."""
        self._start(self._provisioning, saga_id, {"saga_id": saga_id})

    def start_release(self, saga_id: str, reason: ReleaseReason, attempt: int) -> None:
        """Start releasing a saga; `attempt` tells one release of it from the next; raises RetryableError."""
        self._start(self._release, f"{saga_id}-release-{attempt}", {"saga_id": saga_id, "reason": reason})

    def wake(self, token: str) -> None:
        """Let the task that waits with this token end; one that waits no more is left alone; raises RetryableError."""
        with _retryable("woken"), suppress(*no_longer_awaited(self._client)):
            self._client.send_task_success(taskToken=token, output="{}")

    def _start(self, machine: str, name: str, document: dict[str, str]) -> None:
        with _retryable("started"), suppress(self._client.exceptions.ExecutionAlreadyExists):
            self._client.start_execution(
                stateMachineArn=machine, name=name, input=json.dumps(document), **_trace_header()
            )


class StepFunctionsCollections:
    """Starts the executions that collect costs, each under the name of its window."""

    def __init__(self, client: SFNClient, machine: str) -> None:
        self._client = client
        self._machine = machine

    def start(self, window: str) -> None:
        """Start collecting for a window; starting it again does nothing; raises RetryableError."""
        with _retryable("started"), suppress(self._client.exceptions.ExecutionAlreadyExists):
            document = json.dumps({"window": window})
            self._client.start_execution(stateMachineArn=self._machine, name=window, input=document, **_trace_header())


def _trace_header() -> TraceHeader:
    """The X-Ray trace of this call, which the execution goes on with; nothing where there is none that it may have."""
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    return {"traceHeader": header} if 0 < len(header) <= _LONGEST_TRACE else {}


def _retryable(done: str) -> AbstractContextManager[None]:
    """Whatever Step Functions refuses is asked for again: what it is about stands in the ledger already."""
    return retryable(f"the state machine could not be {done}", "Step Functions did not answer")
