"""What moto's queues lack where many send and receive at once: the account's clock, order among calls, patience.

moto keeps its own time, forgets a message that is sent while another one is deleted, hands one message to two who
receive in the same instant, and stops at a message that has outlived its retention.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, RLock
from typing import Any

from moto.sqs import models
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local.clock import Clock

_LONGEST_NAP = 1.0  # so that a clock moved by hand, and a message that has become visible, are noticed


class SharedQueues(SQSBackend):  # type: ignore[misc]  # moto is untyped here
    """Queues whose calls happen one after the other; only waiting for a message overlaps with them."""

    __module__ = SQSBackend.__module__  # beside which moto looks for a backend's URLs

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._changed = Condition(RLock())

    def receive_message(
        self,
        queue_name: str,
        count: int,
        wait_seconds_timeout: int,
        visibility_timeout: int,
        message_attribute_names: list[str] | None = None,
    ) -> list[Message]:
        """At most `count` messages; when there is none, those that come while the wait lasts, in real time."""
        ends = time.monotonic() + wait_seconds_timeout  # whoever waits for an answer is real
        with self._changed:
            while True:
                self._forget_outlived(self.get_queue(queue_name))
                found: list[Message] = super().receive_message(
                    queue_name, count, 0, visibility_timeout, message_attribute_names
                )
                left = ends - time.monotonic()
                if found or left <= 0:
                    return found
                self._changed.wait(min(left, _LONGEST_NAP))

    def send_message(self, *args: Any, **named: Any) -> Message:
        """Put a message into a queue."""
        with self._change():
            return super().send_message(*args, **named)

    def send_message_batch(self, *args: Any, **named: Any) -> Any:
        """Put messages into a queue."""
        with self._change():
            return super().send_message_batch(*args, **named)

    def delete_message(self, queue_name: str, receipt_handle: str) -> None:
        """Remove a message; a batch goes through here, too."""
        with self._change():
            super().delete_message(queue_name, receipt_handle)

    def change_message_visibility(self, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
        """Hide a message for so long from now; a batch goes through here, too."""
        with self._change():
            super().change_message_visibility(queue_name, receipt_handle, visibility_timeout)

    def purge_queue(self, queue_name: str) -> None:
        """Remove every message."""
        with self._change():
            super().purge_queue(queue_name)

    def next_visible(self, queue_name: str) -> float | None:
        """When the next hidden message comes into sight, in epoch seconds; None when none is hidden."""
        with self._changed:
            hidden = [it for it in self.get_queue(queue_name)._messages if it.delayed or not it.visible]
        return min((max(it.visible_at, it.delayed_until) / 1000 for it in hidden), default=None)

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changed:
            yield
            self._changed.notify_all()

    @staticmethod
    def _forget_outlived(queue: Queue) -> None:
        oldest = (models.unix_time() - queue.message_retention_period) * 1000
        queue._messages = [it for it in queue._messages if it.sent_timestamp > oldest]


def correct_sqs() -> None:
    """Have moto make such queues; those of backends that exist already stay as they are."""
    sqs_backends.backend = SharedQueues


def set_queues_by(clock: Clock) -> None:
    """Have all queues of this process live by `clock`: it decides what is visible, delayed and outlived."""
    models.unix_time = clock.now
    models.unix_time_millis = lambda: clock.now() * 1000
