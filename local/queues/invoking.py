"""Calls of functions that nobody waits for: each in a thread of its own, as long as it lasts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from local.lambda_runtime.errors import TooManyRequests

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How a call ended: what the function answered, that it failed, or that no call was possible just then."""

    kind: Literal["answered", "failed", "throttled"]
    answer: bytes = field(default=b"", repr=False)


class Functions(Protocol):
    """Those who can be called."""

    def call(self, function_arn: str, payload: bytes, ended: Callable[[Ending], None]) -> None:
        """Begin a call and return at once; `ended` is told its end, once, in any thread."""
        ...


class CallsInThreads:
    """Calls through a runtime's blocking `invoke`."""

    def __init__(self, invoke: Callable[[str, bytes], Any]) -> None:
        self._invoke = invoke

    def call(self, function_arn: str, payload: bytes, ended: Callable[[Ending], None]) -> None:
        """Begin a call and return at once."""
        threading.Thread(
            target=lambda: ended(self._end(function_arn, payload)), name="queue-batch", daemon=True
        ).start()

    def _end(self, function_arn: str, payload: bytes) -> Ending:
        try:
            result = self._invoke(function_arn, payload)
        except TooManyRequests:
            return Ending("throttled")
        except Exception as error:  # whatever it is, the messages have not been dealt with
            _log.warning("%s was not called with a batch: %s", function_arn, type(error).__name__)
            return Ending("failed")
        return Ending("failed" if result.function_error else "answered", result.payload)
