"""PutEvents on the default bus: events are checked as EventBridge does, and given to the pump.

Source: EventBridge API reference, PutEvents.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_TARGET: Final = "AWSEvents.PutEvents"
_MOST: Final = 10
_REQUIRED: Final = ("Source", "DetailType", "Detail")

Emit = Callable[[str, str, list[str], Mapping[str, Any]], None]
"""Puts an event on the default bus: its source, detail type, resources and detail."""


class Bus:
    """Answers PutEvents, and hands every other request on to `app`."""

    def __init__(self, app: WSGIApplication, emit: Emit) -> None:
        self._app = app
        self._emit = emit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if environ.get("HTTP_X_AMZ_TARGET") != _TARGET:
            return self._app(environ, start_response)
        status, answer = self._put(json.loads(environ["wsgi.input"].read()).get("Entries", []))
        start_response(status, [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(answer).encode()]

    def _put(self, entries: Sequence[Mapping[str, Any]]) -> tuple[str, Mapping[str, Any]]:
        if not 1 <= len(entries) <= _MOST:
            return _refused("ValidationException", f"Entries must have from 1 to {_MOST} members")
        if others := sorted({bus for it in entries if (bus := _bus(it)) != "default"}):
            return _refused("ResourceNotFoundException", f"only the default bus is played here, not {others[0]}")
        answers = [self._answer(it) for it in entries]
        failed = sum("ErrorCode" in it for it in answers)
        return "200 OK", {"FailedEntryCount": failed, "Entries": answers}

    def _answer(self, entry: Mapping[str, Any]) -> Mapping[str, str]:
        for name in _REQUIRED:
            if not entry.get(name):
                return {"ErrorCode": "InvalidArgument", "ErrorMessage": f"Parameter {name} is not valid."}
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        self._emit(entry["Source"], entry["DetailType"], entry.get("Resources", []), detail)
        return {"EventId": str(uuid.uuid4())}


def _bus(entry: Mapping[str, Any]) -> str:
    return str(entry.get("EventBusName") or "default").rpartition("/")[2]


def _refused(code: str, message: str) -> tuple[str, Mapping[str, Any]]:
    return "400 Bad Request", {"__type": code, "message": message}
