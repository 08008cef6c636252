"""TestState: one state on its own."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.core import Core

Request = dict[str, Any]


def test_state(request: Request, core: Core) -> dict[str, Json]:
    """Run a single state."""
    raise ApiError("UnsupportedOperation", "TestState")
