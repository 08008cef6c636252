"""Starting state machines on Step Functions, waking them, answering what they wait for, and asking how they ended."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Final, TypedDict, cast

from lambdas.adapters.refusals import retryable
from lambdas.core.errors import SweepNotFound
from lambdas.core.ports.sweeps import Sweep, SweepStatus
from lambdas.core.steps.saga import ReleaseReason
from lambdas.core.steps.sweep import SweepResult

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

_EXECUTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NOT_ALL_SWEPT: Final = "NotAllSwept"

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


class StepFunctionsSweeps:
    """The executions of the sweep's state machine, whichever of its versions they run; `alias` is its alias's ARN."""

    def __init__(self, client: SFNClient, alias: str) -> None:
        self._client = client
        self._alias = alias

    def start(self, sweep_id: str, *, dry_run: bool) -> None:
        """Start a sweep; starting the same one again does nothing; raises RetryableError."""
        with _retryable("started"), suppress(self._client.exceptions.ExecutionAlreadyExists):
            document = json.dumps({"dry_run": dry_run})
            self._client.start_execution(stateMachineArn=self._alias, name=sweep_id, input=document, **_trace_header())

    def find(self, sweep_id: str) -> Sweep:
        """A sweep as it stands; raises SweepNotFound and RetryableError."""
        if not _EXECUTION_NAME.fullmatch(sweep_id):
            raise SweepNotFound(f"no sweep {sweep_id}")
        execution = self._arn(sweep_id)
        with _retryable("asked"):
            try:
                found = self._client.describe_execution(executionArn=execution)
            except self._client.exceptions.ExecutionDoesNotExist:
                raise SweepNotFound(f"no sweep {sweep_id}") from None
            status = _sweep_status(found)
            result = self._result(execution, found) if status in _WITH_RESULT else None
        return Sweep(
            id=sweep_id,
            status=status,
            dry_run=json.loads(found.get("input", "{}")).get("dry_run") is True,
            started_at=found["startDate"],
            ended_at=found.get("stopDate"),
            result=result,
            error=_why(found) if status is SweepStatus.FAILED else None,
        )

    def _arn(self, sweep_id: str) -> str:
        """An execution is named after its machine, not after the alias that it was started by."""
        *beginning, _, machine = self._alias.split(":")[:7]
        return ":".join([*beginning, "execution", machine, sweep_id])

    def _result(self, execution: str, found: DescribeExecutionOutputTypeDef) -> SweepResult:
        """What a sweep puts out; one that ends in a Fail state puts out nothing, but entered that state with it."""
        text = found.get("output")
        if text is None:
            history = self._client.get_execution_history(
                executionArn=execution, reverseOrder=True, maxResults=_LAST_EVENTS, includeExecutionData=True
            )
            entered = (it["stateEnteredEventDetails"] for it in history["events"] if "stateEnteredEventDetails" in it)
            text = next(entered)["input"]
        return cast("SweepResult", json.loads(text))


_WITH_RESULT: Final = (SweepStatus.COMPLETE, SweepStatus.INCOMPLETE)

_LAST_EVENTS: Final = 5
"""The execution's failure, and the state that it failed in, are the last two."""


def _sweep_status(found: DescribeExecutionOutputTypeDef) -> SweepStatus:
    if found["status"] == "SUCCEEDED":
        return SweepStatus.COMPLETE
    if found["status"] == "RUNNING":
        return SweepStatus.RUNNING
    return SweepStatus.INCOMPLETE if found.get("error") == _NOT_ALL_SWEPT else SweepStatus.FAILED


def _why(found: DescribeExecutionOutputTypeDef) -> str:
    return f"{found.get('error') or found['status']}: {found.get('cause') or 'its execution was ended'}"


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
