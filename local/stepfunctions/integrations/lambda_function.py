"""Lambda: direct function ARNs and `lambda:invoke`, with the error names that Step Functions gives failures."""

from __future__ import annotations

import http.client
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from email.utils import formatdate
from types import MappingProxyType
from typing import NamedTuple, TypeAlias
from urllib.parse import quote, urlsplit

from local.stepfunctions.integrations.metadata import response_metadata
from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.runtime.host import Outcome, TaskRequest


class LambdaResult(NamedTuple):
    """What a function answered: its payload, and "Handled" or "Unhandled" when it failed."""

    payload: bytes
    function_error: str | None = None
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})


class LambdaError(Exception):
    """The Lambda service refused a call: `code` as in ResourceNotFoundException, `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class FunctionNotFoundError(LambdaError):
    """There is no such function, version or alias."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFoundException", message, 404)


Invoke: TypeAlias = Callable[[str, bytes], LambdaResult]


class LambdaIntegration:
    """Makes the calls that Task states ask for; `new_id` gives request ids where the function's host gave none."""

    def __init__(self, invoke: Invoke, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._invoke = invoke
        self._new_id = new_id

    def perform(self, request: TaskRequest) -> Outcome:
        """Call the function and word the outcome as AWS does."""
        direct = request.resource.service == "function"
        name, payload = (request.resource.arn, request.payload()) if direct else _invocation(request.parameters)
        try:
            result = self._invoke(name, payload.encode())
        except LambdaError as error:
            return self._refused(error)
        except (OSError, http.client.HTTPException) as error:
            cause = f"Unable to execute HTTP request: {error}"
            return Outcome("failed", error="Lambda.SdkClientException", cause=cause)
        if result.function_error is not None:
            return _function_failure(result.payload, direct)
        return Outcome("succeeded", output=self._answer(result, direct))

    def _refused(self, error: LambdaError) -> Outcome:
        cause = (
            f"{error.message} (Service: AWSLambda; Status Code: {error.status}; Error Code: {error.code}; "
            f"Request ID: {self._new_id()}; Proxy: null)"
        )
        return Outcome("failed", error=f"Lambda.{error.code}", cause=cause)

    def _answer(self, result: LambdaResult, direct: bool) -> str:
        payload = result.payload.decode() or "null"
        if direct:
            return payload
        headers = dict(result.headers) or {
            "x-amzn-RequestId": self._new_id(),
            "Content-Length": str(len(result.payload)),
            "Content-Type": "application/json",
            "Date": formatdate(usegmt=True),
            "X-Amz-Executed-Version": "$LATEST",
            "Connection": "keep-alive",
        }
        lower = {name.lower(): value for name, value in headers.items()}
        answer: dict[str, Json] = {
            "ExecutedVersion": lower.get("x-amz-executed-version", "$LATEST"),
            "Payload": _json_or_text(payload),
            **response_metadata(headers, result.status),
            "StatusCode": result.status,
        }
        return dumps(answer)


def _json_or_text(payload: str) -> Json:
    try:
        return json.loads(payload)
    except ValueError:
        return payload


def _invocation(parameters: Json) -> tuple[str, str]:
    """The function's name, and the payload's text: a string is JSON text already, null is an empty object."""
    name: str = parameters.get("FunctionName", "")
    if parameters.get("Qualifier"):
        name = f"{name}:{parameters['Qualifier']}"
    payload = parameters.get("Payload")
    if isinstance(payload, str):
        return name, payload
    return name, dumps({} if payload is None else payload)


def _function_failure(payload: bytes, direct: bool) -> Outcome:
    text = payload.decode()
    try:
        document = json.loads(text)
        error = document.get("errorType")
    except (AttributeError, ValueError):
        error = None
    if error is None:
        cause = (
            f"The cause could not be determined because Lambda did not return an error type. Returned payload: {text}"
        )
        return Outcome("failed", error="Lambda.Unknown", cause=cause)
    return Outcome("failed", error=error, cause=text if direct else dumps(document))


def invoke_over_http(endpoint: str, timeout: float = 900) -> Invoke:
    """Lambda's Invoke API at an endpoint such as `http://127.0.0.1:9001`, as the SDKs call it."""
    address = urlsplit(endpoint)
    kept = threading.local()

    def connect() -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        return kind(address.hostname or "127.0.0.1", address.port, timeout=timeout)

    def send(path: str, payload: bytes) -> tuple[int, dict[str, str], bytes]:
        if getattr(kept, "connection", None) is None:
            kept.connection = connect()
        try:
            kept.connection.request("POST", path, payload, {"Content-Type": "application/json"})
            response = kept.connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        except (http.client.HTTPException, OSError):
            kept.connection.close()
            kept.connection = None
            raise

    def invoke(name: str, payload: bytes) -> LambdaResult:
        path = f"{address.path.rstrip('/')}/2015-03-31/functions/{quote(name, safe='')}/invocations"
        try:
            status, headers, body = send(path, payload)
        except (http.client.RemoteDisconnected, ConnectionError):
            status, headers, body = send(
                path, payload
            )  # a kept connection may have gone stale; the SDKs try again, too
        if status >= 300:
            _raise_refusal(status, headers, body)
        lower = {key.lower(): value for key, value in headers.items()}
        return LambdaResult(body, lower.get("x-amz-function-error"), status, headers)

    return invoke


def _raise_refusal(status: int, headers: dict[str, str], body: bytes) -> None:
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        document = json.loads(body)
    except ValueError:
        document = {}
    code = lower.get("x-amzn-errortype", "ServiceException").split(":")[0]
    message = document.get("Message") or document.get("message") or f"HTTP {status}"
    raise LambdaError(code, message, status)


def no_lambda(name: str, payload: bytes) -> LambdaResult:
    """An engine without Lambda refuses every function by name."""
    raise FunctionNotFoundError(f"Function not found: {name}")
