"""Event source mappings as they are deployed, the messages in their queues, and who keeps both."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Mapping:
    """From a queue to a function, version or alias; `window` in seconds, `limit` is MaximumConcurrency.

    `unsupported` names what it is deployed with and nobody here honours.
    """

    id: str
    queue_arn: str
    function_arn: str
    enabled: bool = True
    batch_size: int = 10
    window: float = 0.0
    limit: int | None = None
    reports_item_failures: bool = False
    unsupported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """A message as it was received; `attributes` and `message_attributes` under the names that SQS gives them."""

    id: str
    receipt: str
    body: str = field(repr=False)
    body_md5: str = ""
    attributes: Dictionary[str, str] = field(default_factory=dict)
    message_attributes: Dictionary[str, Dictionary[str, Any]] = field(default_factory=dict)


class Queues(Protocol):
    """Where mappings and queues are kept; a queue that is gone is an empty one."""

    def mappings(self) -> Sequence[Mapping]:
        """Every event source mapping of the account, also of other sources than queues, but for tables' streams."""
        ...

    def receive(self, queue_arn: str, count: int) -> Sequence[Message]:
        """At most `count` messages that are visible now, hidden from others for the queue's visibility timeout."""
        ...

    def delete(self, queue_arn: str, receipts: Sequence[str]) -> None:
        """Remove messages; one that is gone already is no failure."""
        ...

    def visibility_timeout(self, queue_arn: str) -> float:
        """For how many seconds a received message is hidden."""
        ...

    def next_visible(self, queue_arn: str) -> float | None:
        """When the next hidden message will be visible, in seconds since the epoch; None when none is hidden."""
        ...
