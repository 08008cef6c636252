"""Errors as Cost Explorer answers them: JSON 1.1, its own word for every one of them, and status 400."""

from __future__ import annotations

import json
from collections.abc import Mapping

from werkzeug.wrappers import Response


class CostExplorerError(Exception):
    """A refusal: `code` is the name of the exception in the API reference."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """The answer on the wire."""
        body = json.dumps({"__type": self.code, "Message": self.message})
        return Response(body, self.status, headers=dict(headers or {}), content_type="application/x-amz-json-1.1")


def invalid(message: str) -> CostExplorerError:
    """A request that cannot be."""
    return CostExplorerError("ValidationException", message)
