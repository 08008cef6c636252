"""How the two generations of service integrations word a failed call."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.stepfunctions.integrations.models import service_model
from local.stepfunctions.runtime.host import Outcome

_OPTIMIZED = {
    "dynamodb": ("DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"),
    "sqs": ("SQS", "AmazonSQS", "AmazonSQSException"),
    "sns": ("SNS", "AmazonSNS", "AmazonSNSException"),
    "events": ("EventBridge", "AmazonEventBridge", "AmazonEventBridgeException"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """A service's error vocabulary: prefix of its error names, its own name in causes, its unspecific error."""

    prefix: str
    service: str
    generic: str
    first_generation: bool

    def failure(
        self,
        code: str | None,
        message: str,
        status: int,
        request_id: str,
        name: str | None = None,
        extended: str | None = None,
    ) -> Outcome:
        """A refused call: `code` is the modelled error's name, None for another; `name` what the service sent."""
        error = f"{self.prefix}.{_exception(code) if code is not None else self.generic}"
        if self.first_generation:
            sent = name or code or "ValidationException"
            cause = (
                f"{message} (Service: {self.service}; Status Code: {status}; Error Code: {sent}; "
                f"Request ID: {request_id}; Proxy: null)"
            )
            return Outcome("failed", error=error, cause=cause)
        more = f", Extended Request ID: {extended}" if extended else ""
        cause = f"{message} (Service: {self.service}, Status Code: {status}, Request ID: {request_id}{more})"
        if self.prefix == "Sfn":
            cause += " (SDK Attempt Count: 1)"  # recorded since 2025, for this service
        return Outcome("failed", error=error, cause=cause)

    def unreachable(self, reason: str) -> Outcome:
        """A call that did not get through."""
        return Outcome(
            "failed", error=f"{self.prefix}.SdkClientException", cause=f"Unable to execute HTTP request: {reason}"
        )


def _exception(code: str) -> str:
    return code if code.endswith("Exception") else f"{code}Exception"


def optimized(service: str) -> Words:
    """The words of an optimized integration, by botocore's service name."""
    prefix, name, generic = _OPTIMIZED[service]
    return Words(prefix, name, generic, True)


def sdk(service: str) -> Words:
    """The words of an AWS SDK integration: the service id as the Java SDK 2 spells it, `DynamoDb`, `Sfn`."""
    identity = service_model(service).metadata["serviceId"]
    word = "".join(re.sub(r"(?<=[A-Z])[A-Z]+", lambda run: run.group().lower(), part) for part in identity.split())
    return Words(word, word, f"{word}Exception", False)
