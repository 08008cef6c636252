"""The context that Lambda hands to a handler."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext


class Context(LambdaContext):
    """Of one call of a function."""

    def __init__(self, function: str = "skysaga-function") -> None:
        self._function_name = function
        self._memory_limit_in_mb = 256
        self._invoked_function_arn = "arn"
        self._aws_request_id = "request"
