"""What the interpreter needs of the engine that runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from local.stepfunctions.asl.program import Resource
from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.runtime.execution import Attempt, Execution


class TaskRequest(NamedTuple):
    """A call to make for a task; whoever makes it reports an Outcome for (execution_arn, attempt).

    `text` is the JSON text of `parameters` where the history shows it, so that nobody has to write it again.
    """

    execution_arn: str
    attempt: int
    state_name: str
    resource: Resource
    parameters: Json
    token: str | None
    retry_count: int = 0
    mock_case: str | None = None
    text: str | None = None

    def payload(self) -> str:
        """The JSON text of the parameters."""
        return dumps(self.parameters) if self.text is None else self.text


class Outcome(NamedTuple):
    """How a call ended. `kind` is "succeeded", "submitted" or "failed"; `output` is JSON text."""

    kind: str
    output: str | None = None
    error: str | None = None
    cause: str | None = None


class Host(Protocol):
    """The engine, as the interpreter sees it."""

    region: str
    account: str
    wait_scale: float
    moment: float
    """Of the input being applied, in seconds since the epoch."""

    def soon(self, action: Callable[[], None]) -> None:
        """Have `action` called before this input is done with, in an order that the seed decides."""
        ...

    def arm(self, execution: Execution, moment: float, action: Callable[[], None]) -> int:
        """Have `action` called at `moment`; the number disarms it."""
        ...

    def disarm(self, execution: Execution, number: int | None) -> None:
        """Make an armed call not happen; harmless when it has or number is None."""
        ...

    def submit(self, request: TaskRequest) -> None:
        """Have a call made outside the interpreter."""
        ...

    def offer_activity(self, attempt: Attempt, activity_arn: str) -> None:
        """Put a task where an activity's workers find it."""
        ...

    def issue_token(self, attempt: Attempt) -> str:
        """A task token that stands for the attempt until it is over."""
        ...

    def withdraw(self, attempt: Attempt) -> None:
        """The attempt is over: its token and its place in a queue are void."""
        ...

    def start_child(self, execution: Execution) -> None:
        """Register and begin a Distributed Map's child execution."""
        ...

    def resumed(self, execution: Execution) -> None:
        """An execution that had ended runs again."""
        ...

    def ended(self, execution: Execution) -> None:
        """The execution has reached its end; tell whoever waits for it."""
        ...
