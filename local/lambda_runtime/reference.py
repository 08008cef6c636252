"""The ways to name a function: bare, partial ARN or ARN, each with or without a version or alias."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from local.lambda_runtime.errors import InvalidParameterValue

LATEST = "$LATEST"

# The pattern of FunctionName in the Lambda API reference, with its groups named.
_PATTERN = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*):lambda:)?"
    r"(?:(?P<region>[a-z]{2}(?:-gov)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})"
    r"(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]{1,128}))?"
)


@dataclass(frozen=True)
class FunctionReference:
    """A function as a caller named it; what is None was left to the account's defaults."""

    name: str
    qualifier: str | None = None
    region: str | None = None
    account: str | None = None

    @classmethod
    def parse(cls, text: str, qualifier: str | None = None) -> FunctionReference:
        """Read a name, partial ARN or ARN; a qualifier that contradicts the text's raises InvalidParameterValue."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise InvalidParameterValue(
                f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern"
            )
        reference = cls(**match.groupdict())
        if not qualifier:
            return reference
        if reference.qualifier not in (None, qualifier):
            raise InvalidParameterValue(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        return replace(reference, qualifier=qualifier)
