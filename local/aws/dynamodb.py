"""DynamoDB as functions meet it: moto's, one request at a time, with tokens that count, and with faults.

`POST /_simulator/dynamodb/faults` arms faults by operation (`TransactWriteItems`, or a pattern with `*`), `DELETE`
forgets them, `GET /_simulator/dynamodb/log` lists every call that was struck.

| fault      | what happens                                                                              |
|------------|-------------------------------------------------------------------------------------------|
| `refuse`   | the connection is closed before any effect                                                |
| `throttle` | refused with `code`: ThrottlingException unless given                                     |
| `error`    | refused with `code`: InternalServerError unless given                                     |
| `lost`     | takes effect, then the connection is closed without a reply                               |
| `late`     | the connection is closed; takes effect `delay` seconds later                              |
| `twice`    | delivered twice; the second answer is given                                               |
| `slow`     | answered after `delay` seconds                                                            |

`code` is one of DynamoDB's errors, or a reason (`TransactionConflict`, `ThrottlingError`,
`ProvisionedThroughputExceeded`) for which a transaction is cancelled.

Source: the DynamoDB developer guide, "Error handling"; the API reference, TransactWriteItems.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from io import BytesIO
from threading import Timer
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Request, Response

from local.aws.dynamodb_items import answer, concerns_items
from local.aws.stream_corrections import TURN
from local.clock import Clock
from local.http_server import DropConnection
from local.simulators.faults import Fault, FaultKind, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "/_simulator/dynamodb/"

_STATUS: Final = {
    "ThrottlingException": 400,
    "ProvisionedThroughputExceededException": 400,
    "RequestLimitExceeded": 400,
    "TransactionInProgressException": 400,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}
_REASONS: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_USUAL: Final = {FaultKind.THROTTLE: "ThrottlingException", FaultKind.ERROR: "InternalServerError"}
_PLAYED: Final = frozenset(set(FaultKind) - {FaultKind.STALE, FaultKind.FAIL, FaultKind.CAPACITY})

_TOKENS_KEPT_SECONDS: Final = 600.0
_FAULT_LIST = TypeAdapter(list[Fault])


class Struck(NamedTuple):
    """A call that a fault has struck: when (Unix seconds), which operation, how, and with which code."""

    at: float
    operation: str
    fault: str
    code: str | None


class DynamoDb:
    """The WSGI application in front of moto's DynamoDB."""

    def __init__(self, moto: WSGIApplication, clock: Clock, sleep: Callable[[float], None] = time.sleep) -> None:
        self.faults = Faults()
        self.log: list[Struck] = []
        self._table = _OneAtATime(moto, clock)
        self._clock = clock
        self._sleep = sleep

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        request = Request(environ)
        request.get_data(cache=True)
        answer = self._administer(request) if request.path.startswith(PREFIX) else self._serve(request)
        return answer(environ, start_response)

    def _serve(self, request: Request) -> Response:
        operation = _operation(request)
        fault = self.faults.take(operation)
        if fault is None:
            return self._table.answer(request)
        code = fault.code or _USUAL.get(fault.fault)
        self.log.append(Struck(self._clock.now(), operation, fault.fault.value, code))
        return self._struck(request, fault, code)

    def _struck(self, request: Request, fault: Fault, code: str | None) -> Response:
        match fault.fault:
            case FaultKind.THROTTLE | FaultKind.ERROR if code is not None:
                return _refusal(request, code)
            case FaultKind.LOST:
                self._table.answer(request)
                raise DropConnection
            case FaultKind.LATE:
                self._answer_later(request, fault.delay)
                raise DropConnection
            case FaultKind.TWICE:
                self._table.answer(request)
                return self._table.answer(request)
            case FaultKind.SLOW:
                self._sleep(fault.delay)
                return self._table.answer(request)
            case _:
                raise DropConnection

    def _answer_later(self, request: Request, delay: float) -> None:
        timer = Timer(delay, self._table.answer, [request])
        timer.daemon = True
        timer.start()

    def _administer(self, request: Request) -> Response:
        match request.method, request.path.removeprefix(PREFIX):
            case "GET", "log":
                return _json([struck._asdict() for struck in list(self.log)])
            case "POST", "faults":
                return self._arm(request)
            case "DELETE", "faults":
                self.faults.disarm()
                return Response(status=204)
            case _:
                return _json({"message": "faults or log"}, status=404)

    def _arm(self, request: Request) -> Response:
        try:
            faults = _FAULT_LIST.validate_json(request.get_data())
        except ValidationError as error:
            return _json({"errors": error.errors(include_url=False, include_context=False)}, status=400)
        unknown = sorted({it.code for it in faults if it.code and it.code not in {*_STATUS, *_REASONS}})
        unplayed = sorted({it.fault.value for it in faults} - {it.value for it in _PLAYED})
        if unknown or unplayed:
            codes, kinds = ", ".join([*_STATUS, *sorted(_REASONS)]), ", ".join(sorted(_PLAYED))
            message = f"cannot be played: {', '.join(unknown + unplayed)}; codes are {codes}; faults are {kinds}"
            return _json({"message": message}, status=400)
        self.faults.arm(faults)
        return Response(status=204)


class _OneAtATime:
    """Answers requests one after the other: moto's DynamoDB transactions are not isolated between threads.

    A transaction whose token has succeeded before is answered again and not applied again, for ten minutes; moto
    knows no tokens.
    """

    def __init__(self, app: WSGIApplication, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._succeeded: dict[str, tuple[float, bytes]] = {}
        """When, and of which body: its digest, since bodies are large and there are many in ten minutes."""

    def answer(self, request: Request) -> Response:
        """Answer a request, as often as it is delivered."""
        body = request.get_data()
        token = json.loads(body).get("ClientRequestToken") if _operation(request) == "TransactWriteItems" else None
        digest = sha256(body).digest() if token else b""
        with TURN:
            before = self._before(token) if token else None
            if before is not None:
                return _json({}) if before == digest else _error("IdempotentParameterMismatchException", 400)
            response = answer(request) if concerns_items(request) else self._of_moto(request, body)
            if token and response.status_code == 200:
                self._succeeded[token] = self._clock.now(), digest
            return response

    def _of_moto(self, request: Request, body: bytes) -> Response:
        environ = {**request.environ, "wsgi.input": BytesIO(body)}
        environ.pop("werkzeug.request", None)
        return Response.from_app(self._app, environ, buffered=True)

    def _before(self, token: str) -> bytes | None:
        oldest = self._clock.now() - _TOKENS_KEPT_SECONDS
        while self._succeeded and next(iter(self._succeeded.values()))[0] < oldest:
            del self._succeeded[next(iter(self._succeeded))]
        return self._succeeded[token][1] if token in self._succeeded else None


def _operation(request: Request) -> str:
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2]


def _refusal(request: Request, code: str) -> Response:
    if code not in _REASONS:
        return _error(code, _STATUS[code])
    items = json.loads(request.get_data()).get("TransactItems")
    if not items:  # only transactions are cancelled
        return _error("ThrottlingException", 400)
    reasons = [{"Code": code}, *({"Code": "None"} for _ in items[1:])]
    listed = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]"
    return _error("TransactionCanceledException", 400, message, CancellationReasons=reasons)


def _error(code: str, status: int, message: str = "A fault that was armed.", **fields: Any) -> Response:
    document = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **fields}
    return Response(json.dumps(document), status=status, content_type="application/x-amz-json-1.0")


def _json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/x-amz-json-1.0")
