"""Errors of an invocation that are not the function's own, under the names and statuses of Lambda's Invoke API.

    InvokeError
    ├── FunctionNotFound            ResourceNotFoundException     404
    ├── InvalidParameterValue       InvalidParameterValueException 400
    ├── InvalidRequestContent       InvalidRequestContentException 400
    ├── RequestTooLarge             RequestTooLargeException      413
    ├── TooManyRequests             TooManyRequestsException      429
    ├── ServiceError                ServiceException              500
    └── InvalidRuntime              InvalidRuntimeException       502

Source: the Lambda API reference, Invoke, Errors.
"""

from __future__ import annotations

from typing import ClassVar


class InvokeError(Exception):
    """An invocation that was not answered with a result; unless it is a ServiceError, none of its code ran."""

    code: ClassVar[str]
    status: ClassVar[int]
    kind: ClassVar[str] = "User"


class FunctionNotFound(InvokeError):
    """No function, version or alias of that name is deployed."""

    code = "ResourceNotFoundException"
    status = 404


class InvalidParameterValue(InvokeError):
    """The function's name, its qualifier or the invocation type is not one Lambda knows."""

    code = "InvalidParameterValueException"
    status = 400


class InvalidRequestContent(InvokeError):
    """The payload is not JSON."""

    code = "InvalidRequestContentException"
    status = 400


class RequestTooLarge(InvokeError):
    """The payload is over the limit of its invocation type."""

    code = "RequestTooLargeException"
    status = 413


class TooManyRequests(InvokeError):
    """No worker may be started for this call; `reason` is AWS's name for the limit."""

    code = "TooManyRequestsException"
    status = 429

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.")
        self.reason = reason


class ServiceError(InvokeError):
    """Lambda itself failed, as an armed fault wants it; whether the function ran is for the caller to find out."""

    code = "ServiceException"
    status = 500
    kind = "Server"

    def __init__(self) -> None:
        super().__init__("Internal Failure")


class InvalidRuntime(InvokeError):
    """The function is deployed for a runtime that this machine's Python does not provide."""

    code = "InvalidRuntimeException"
    status = 502
    kind = "Server"
