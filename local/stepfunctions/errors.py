"""What can go wrong, by whose move it is.

ApiError        the caller's: answered as an AWS error document, nothing has changed
Fault           raised while a compiled expression is evaluated; does not know which state it is in
StateFailure    a state's failure with its error name, what Retry and Catch look at
"""

from __future__ import annotations

RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
TIMEOUT = "States.Timeout"
QUERY = "States.QueryEvaluationError"
TASK_FAILED = "States.TaskFailed"
HEARTBEAT = "States.HeartbeatTimeout"


class ApiError(Exception):
    """An API call's refusal: `code` is the name of AWS's exception, `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class InvalidDefinitionError(ApiError):
    """A definition that is refused; the message carries the first diagnostic as AWS writes it."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidDefinition", f"Invalid State Machine Definition: '{message}'")


class Fault(Exception):
    """An expression that cannot be evaluated: `location` is the field, None where AWS names none."""

    def __init__(self, message: str, error: str = RUNTIME, location: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
        self.location = location


class StateFailure(Exception):
    """A state's failure; `error` and `cause` may be None (a bare Fail state), `location` marks a failed query.

    `catchable_by_all` is False where States.ALL does not apply: to States.Runtime, which AWS was recorded not to catch
    by its name either, and to States.DataLimitExceeded, unless a task's result was too large.
    """

    def __init__(self, error: str | None, cause: str | None, location: str | None = None) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.location = location
        self.from_task = False
        self.heartbeat = False
        self.recorded = False

    @property
    def catchable_by_all(self) -> bool:
        """Whether States.ALL and States.TaskFailed apply; a task's oversized result was recorded as caught."""
        return self.from_task or self.error not in (RUNTIME, DATA_LIMIT)


def oversized(name: str) -> str:
    """AWS's words for a payload over 256 KiB."""
    return f"The state/task '{name}' returned a result with a size exceeding the maximum number of bytes service limit."
