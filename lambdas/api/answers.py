"""What routes answer with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response


def json_answer(status: HTTPStatus, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response[str]:
    """A document as JSON."""
    return Response(int(status), "application/json", json.dumps(body), headers=dict(headers or {}))
