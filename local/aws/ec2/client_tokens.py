"""EC2's idempotency: the same client token gives the same result, whatever has become of it since."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from moto.ec2.exceptions import EC2ClientError

Result = TypeVar("Result")

MAX_LENGTH = 64  # ASCII characters (EC2 API, "Ensuring idempotency")
_NOT_COMPARED = frozenset({"ClientToken", "DryRun"})


class ClientTokens:
    """The tokens one region has seen; a token is zonal where a zone or subnet was given, otherwise regional."""

    def __init__(self) -> None:
        self._results: dict[tuple[str, str, str], tuple[str, Any]] = {}

    def once(
        self, operation: str, zone: str | None, parameters: Mapping[str, Any], act: Callable[[], Result]
    ) -> Result:
        """The result of `act`, or the one it had the first time; other parameters raise IdempotentParameterMismatch."""
        token = parameters.get("ClientToken")
        if not token:
            return act()
        if len(token) > MAX_LENGTH or not token.isascii():
            raise EC2ClientError("InvalidParameterValue", "A client token is at most 64 ASCII characters.")
        key = (operation, zone or "", token)
        compared = {name: value for name, value in parameters.items() if name not in _NOT_COMPARED}
        signature = json.dumps(compared, sort_keys=True, default=str)
        if key not in self._results:
            self._results[key] = (signature, act())
        known, result = self._results[key]
        if known != signature:
            raise EC2ClientError(
                "IdempotentParameterMismatch",
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
            )
        return result  # type: ignore[no-any-return]
