"""Starting state machines on Step Functions, and waking them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.core.errors import RetryableError
from lambdas.core.steps.saga import ReleaseReason

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


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
        gone = (self._client.exceptions.TaskDoesNotExist, self._client.exceptions.TaskTimedOut)
        with _retryable("woken"), suppress(*gone):
            self._client.send_task_success(taskToken=token, output="{}")

    def _start(self, machine: str, name: str, document: dict[str, str]) -> None:
        with _retryable("started"), suppress(self._client.exceptions.ExecutionAlreadyExists):
            self._client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(document))


@contextmanager
def _retryable(done: str) -> Iterator[None]:
    """Whatever Step Functions refuses is asked for again: what it is about stands in the ledger already."""
    try:
        yield
    except ClientError as error:
        raise RetryableError(error.response["Error"]["Code"], f"the state machine could not be {done}") from error
    except BotoCoreError as error:
        raise RetryableError(type(error).__name__, "Step Functions did not answer") from error
