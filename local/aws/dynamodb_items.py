"""What is read and written of DynamoDB's items, answered by moto's own operations without the way that leads there.

moto finds an application for every request, has Flask route it, looks for each member of an answer under a dozen names,
and so takes thirty times as long as what was asked. Only what carries items is answered here; tables are moto's affair.
"""

from __future__ import annotations

import base64
import json
import re
from types import SimpleNamespace
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.dynamodb.responses import DynamoHandler
from werkzeug.wrappers import Request, Response

OPERATIONS: Final = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)

_TARGET: Final = re.compile(r"DynamoDB_20120810\.(\w+)")
_SCOPE: Final = re.compile(r"Credential=[^/]*/\d{8}/([^/]+)/dynamodb/aws4_request")
_CONTENT_TYPE: Final = "application/x-amz-json-1.0"


def concerns_items(request: Request) -> bool:
    """Whether `answer` can answer a request."""
    target = _TARGET.fullmatch(request.headers.get("X-Amz-Target", ""))
    plain = request.content_type == _CONTENT_TYPE and "Content-Encoding" not in request.headers
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    return target is not None and target[1] in OPERATIONS and plain and scope is not None


def answer(request: Request) -> Response:
    """Answer a request that concerns items; moto's NotImplementedError goes through."""
    status, headers, body = _Items(request).call_action()
    return Response(body, status=status, headers={name: text for name, text in headers.items() if name != "status"})


class _Items(DynamoHandler):  # type: ignore[misc]  # moto is untyped here
    """One request, set up with what moto's operations look at."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        scope = _SCOPE.search(request.headers["Authorization"])
        assert scope is not None  # noqa: S101 -- `concerns_items` has seen it
        self.headers = request.headers
        self.querystring: dict[str, Any] = {}
        self.region = scope[1]
        self.response_headers = {"server": "amazon.com"}
        self.current_account = self.get_current_account()
        body = request.get_data()
        self.parse_parameters(
            SimpleNamespace(
                content_type=_CONTENT_TYPE, method="POST", values={}, headers=self.headers, data=body, path="/"
            )
        )

    uri_match: Any = {}  # noqa: RUF012 -- what moto takes from a path, which is always the same one here

    def serialized(self, action_result: Any) -> Any:
        """The answer on the wire: what moto's operations return has its members' names, and only bytes are no JSON."""
        result = action_result.result
        if not isinstance(action_result, ActionResult) or not isinstance(result, dict):
            return super().serialized(action_result)
        members = get_service_model("dynamodb").operation_model(self._get_action()).output_shape.members
        told = {name: result[name] for name in members if result.get(name) is not None}
        headers = {"Content-Type": _CONTENT_TYPE, **self.response_headers}
        return 200, headers, json.dumps(told, default=_binary)


def _binary(value: Any) -> str:
    """Bytes as JSON carries them."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is no attribute's value")
    return base64.b64encode(value).decode()
