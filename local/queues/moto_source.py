"""Mappings and queues as deployed in moto, read and changed in this process because an idle machine asks nobody.

The only module here that knows moto's inside (pinned; `tests/contract/moto/test_queues.py` holds it to what the APIs
say). It stands on the queues of `local/aws/sqs_corrections.py`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from typing import Any

import moto.backends
from moto.sqs.exceptions import QueueDoesNotExist, ReceiptHandleIsInvalid

from local.queues.deployed import Mapping, Message

_UNSUPPORTED = {
    "filter_criteria": "FilterCriteria",
    "poller_config": "ProvisionedPollerConfig",
    "destination_config": "DestinationConfig",
}


class MotoQueues:
    """Reads one region of the account."""

    def __init__(self, account: str = "123456789012", region: str = "us-east-1") -> None:
        self._account = account
        self._region = region

    def mappings(self) -> Sequence[Mapping]:
        """Every event source mapping of the account, also of other sources than queues, but for tables' streams."""
        backend = moto.backends.get_backend("lambda")[self._account][self._region]
        models = list(backend._event_source_mappings.values())
        return [_mapping(model) for model in models if ":dynamodb:" not in model.event_source_arn]

    def receive(self, queue_arn: str, count: int) -> Sequence[Message]:
        """At most `count` messages that are visible now, hidden from others for the queue's visibility timeout."""
        try:
            found = self._sqs.receive_message(_name(queue_arn), count, 0, self.visibility_timeout(queue_arn), ["All"])
        except QueueDoesNotExist:
            return []
        return [_message(model) for model in found]

    def delete(self, queue_arn: str, receipts: Sequence[str]) -> None:
        """Remove messages; one that is gone already is no failure."""
        for receipt in receipts:
            try:
                self._sqs.delete_message(_name(queue_arn), receipt)
            except (QueueDoesNotExist, ReceiptHandleIsInvalid):
                continue

    def visibility_timeout(self, queue_arn: str) -> int:
        """For how many seconds a received message is hidden; 0 for a queue that is gone."""
        try:
            return int(self._sqs.get_queue(_name(queue_arn)).visibility_timeout)
        except QueueDoesNotExist:
            return 0

    def next_visible(self, queue_arn: str) -> float | None:
        """When the next hidden message will be visible, in seconds since the epoch; None when none is hidden."""
        try:
            moment: float | None = self._sqs.next_visible(_name(queue_arn))
        except QueueDoesNotExist:
            return None
        return moment

    @property
    def _sqs(self) -> Any:
        return moto.backends.get_backend("sqs")[self._account][self._region]


def _name(queue_arn: str) -> str:
    return queue_arn.rsplit(":", 1)[1]


def _mapping(model: Any) -> Mapping:
    limit = (model.scaling_config or {}).get("MaximumConcurrency")
    return Mapping(
        id=model.uuid,
        queue_arn=model.event_source_arn,
        function_arn=model.function_arn,
        enabled=bool(model.enabled),
        batch_size=int(model.batch_size),
        window=float(model.max_batch_window or 0),
        limit=None if limit is None else int(limit),
        reports_item_failures="ReportBatchItemFailures" in (model.function_response_types or ()),
        unsupported=tuple(name for attribute, name in _UNSUPPORTED.items() if getattr(model, attribute)),
    )


def _message(model: Any) -> Message:
    return Message(
        id=model.id,
        receipt=model.receipt_handle,
        body=model.body,
        body_md5=model.body_md5,
        attributes={
            "ApproximateReceiveCount": str(model.approximate_receive_count),
            "SentTimestamp": str(model.sent_timestamp),
            "SenderId": model.sender_id,
            "ApproximateFirstReceiveTimestamp": str(model.approximate_first_receive_timestamp),
        },
        message_attributes={name: _attribute(value) for name, value in model.message_attributes.items()},
    )


def _attribute(value: Dictionary[str, Any]) -> dict[str, str]:
    return {name: base64.b64encode(it).decode() if isinstance(it, bytes) else str(it) for name, it in value.items()}
