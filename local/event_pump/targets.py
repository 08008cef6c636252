"""Whom a rule or schedule can call on this machine: state machines, functions, queues and topics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from local.event_pump.deployed import Target
from local.event_pump.errors import NotSupported

Call = Callable[[str, str], object]
"""Hands a text to whoever has that ARN."""

SERVICES: Final = ("states", "lambda", "sqs", "sns")


class LocalTargets:
    """Calls targets by their ARN's service: the engine and the runtime directly, the rest through clients."""

    def __init__(self, start_execution: Call, invoke: Call, client: Callable[[str], Any]) -> None:
        self._client = client
        self._calls: dict[str, Call] = {
            "states": start_execution,
            "lambda": invoke,
            "sqs": self._send,
            "sns": lambda arn, text: self._client("sns").publish(TopicArn=arn, Message=text),
        }

    def check(self, target: Target) -> None:
        """Raise NotSupported for another service, or for what a target is deployed with and nobody here honours."""
        service = _service(target.arn)
        if service not in SERVICES or (service == "states" and ":stateMachine:" not in target.arn):
            raise NotSupported(f"the target {target.arn}; {', '.join(SERVICES)} can be called here")
        if target.unsupported:
            raise NotSupported(f"the target's {', '.join(target.unsupported)}")

    def call(self, target: Target, text: str) -> None:
        """Start, invoke asynchronously, send or publish; raises what that raises."""
        self._calls[_service(target.arn)](target.arn, text)

    def _send(self, arn: str, text: str) -> None:
        sqs = self._client("sqs")
        url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=text)


def _service(arn: str) -> str:
    parts = arn.split(":")
    return parts[2] if len(parts) > 5 else ""
