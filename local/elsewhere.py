"""Parts of one machine that are processes of their own, asked over HTTP; one that is gone is a service that fails."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from local.lambda_runtime.errors import InvokeError, ServiceError, TooManyRequests
from local.lambda_runtime.runtime import InvocationResult, InvocationType
from local.stepfunctions.errors import ApiError

_LONGEST_CALL_SECONDS = 900
_REFUSALS = {kind.code: kind for kind in InvokeError.__subclasses__()}


class Elsewhere(NamedTuple):
    """Where parts of a machine answer that are processes of their own; what has no URL runs in the machine's."""

    stepfunctions: str | None = None
    functions: str | None = None


class _Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class StepFunctionsElsewhere:
    """`python -m local.stepfunctions` at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer the operation named by `X-Amz-Target`; 503 while nobody is there or when the reply got lost."""
        try:
            answer = _post(self._url, "/", body, {"X-Amz-Target": target})
        except (OSError, http.client.HTTPException):
            return 503, b'{"__type": "ServiceUnavailable", "message": "Step Functions did not answer."}'
        return answer.status, answer.body

    def start_execution(self, machine_arn: str, text: str) -> None:
        """Start an execution with JSON text; raises ApiError."""
        request = json.dumps({"stateMachineArn": machine_arn, "input": text}).encode()
        status, body = self.handle("AWSStepFunctions.StartExecution", request)
        if status >= 300:
            refusal = json.loads(body)
            raise ApiError(refusal["__type"], refusal.get("message", ""), status)


class FunctionsElsewhere:
    """`python -m local.lambda_runtime` at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def invoke(
        self,
        name_or_arn: str,
        payload: bytes,
        qualifier: str | None = None,
        invocation_type: InvocationType = "RequestResponse",
    ) -> InvocationResult:
        """Run a function; raises InvokeError, ServiceError when the runtime is gone or went away during the call."""
        path = f"/2015-03-31/functions/{quote(name_or_arn, safe='')}/invocations"
        path += f"?Qualifier={quote(qualifier, safe='')}" if qualifier else ""
        try:
            answer = _post(self._url, path, payload, {"X-Amz-Invocation-Type": invocation_type})
        except (OSError, http.client.HTTPException):
            raise ServiceError from None
        if answer.status >= 300:
            raise _refusal(answer)
        failed, version = (answer.headers.get(f"x-amz-{name}") for name in ("function-error", "executed-version"))
        return InvocationResult(answer.body, failed, version or "")

    def warm(self, names: Iterable[str]) -> None:
        """Leave it to the runtime's own process."""

    def close(self) -> None:
        """Leave it to whoever started the process."""


def _refusal(answer: _Answer) -> InvokeError:
    document = json.loads(answer.body)
    kind = _REFUSALS.get(answer.headers.get("x-amzn-errortype", ""), ServiceError)
    if kind is ServiceError:
        return ServiceError()
    return kind(document["Reason"] if kind is TooManyRequests else document["message"])


def _post(url: str, path: str, body: bytes, headers: Mapping[str, str]) -> _Answer:
    """One request on a connection of its own: what is killed and comes back answers on no older one."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_LONGEST_CALL_SECONDS)
    try:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return _Answer(response.status, found, response.read())
    finally:
        connection.close()
