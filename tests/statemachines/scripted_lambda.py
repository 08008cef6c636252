"""Lambda's Invoke API over HTTP, answered from scripts: one per saga or window, so that none disturbs another."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote
from uuid import uuid4

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """A function returned this."""

    document: Any


@dataclass(frozen=True)
class FunctionError:
    """A function raised: `name` is the exception's class, as Lambda's Python runtime reports it."""

    name: str
    message: str


@dataclass(frozen=True)
class Refusal:
    """The Lambda service did not run the function: its error `code` and HTTP status."""

    code: str
    status: int


Answer = Result | FunctionError | Refusal
NO_SUCH_FUNCTION = Refusal("ResourceNotFoundException", 404)


class Script(Protocol):
    """Answers the calls of one saga, or of one window's collection."""

    def answer(self, function: str, payload: Payload) -> Answer:
        """What the call of a function, by its bare name, comes to."""
        ...


class ScriptedLambda:
    """A WSGI application that hands each invocation to the script of the saga or window named in its payload."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}
        self._one_at_a_time = threading.Lock()

    def follow(self, subject: str, script: Script) -> None:
        """Answer calls about a saga or window by `script`, one call at a time."""
        self._scripts[subject] = script

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        function = _bare_name(environ["RAW_URI"])
        payload: Payload = json.loads(environ["wsgi.input"].read())
        script = self._scripts.get(payload["saga_id" if "saga_id" in payload else "window"])
        with self._one_at_a_time:
            answer = script.answer(function, payload) if script else NO_SUCH_FUNCTION
        status, headers, document = _on_the_wire(answer)
        request_id = ("x-amzn-RequestId", str(uuid4()))
        start_response(status, [("Content-Type", "application/json"), request_id, *headers])
        return [json.dumps(document).encode()]


def _bare_name(target: str) -> str:
    """The function's name in `/2015-03-31/functions/NAME/invocations`, where NAME may be a qualified ARN."""
    name = unquote(target.split("/")[3])
    return name.partition(":function:")[2].partition(":")[0] or name


def _on_the_wire(answer: Answer) -> tuple[str, list[tuple[str, str]], Any]:
    match answer:
        case Result(document):
            return "200 OK", [("X-Amz-Executed-Version", "1")], document
        case FunctionError(name, message):
            return "200 OK", [("X-Amz-Function-Error", "Unhandled")], {"errorType": name, "errorMessage": message}
        case Refusal(code, status):
            return f"{status} Refused", [("X-Amzn-ErrorType", code)], {"Type": "User", "Message": f"{code} by script"}
