"""A queue in memory, with visibility as SQS has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition

from lambdas.core.errors import RetryableError
from lambdas.core.ports.queue import Message


@dataclass
class FakeQueue:
    """What was received is hidden until it is put back, or shown again by the test.

    A receive waits, for real, until there is a message or `closed` says that nobody should wait any more.
    """

    closed: Callable[[], bool] = lambda: False
    visible: list[Message] = field(default_factory=list)
    hidden: list[Message] = field(default_factory=list)
    kept: list[Message] = field(default_factory=list)
    deleted: list[Message] = field(default_factory=list)
    asked_for: list[int] = field(default_factory=list)
    unavailable: int = 0
    changed: Condition = field(default_factory=Condition)

    def send(self, body: str) -> Message:
        """Put a message into the queue."""
        with self.changed:
            message = Message(body, f"receipt-{len(self.visible) + len(self.hidden) + len(self.deleted)}")
            self.visible.append(message)
            self.changed.notify_all()
        return message

    def receive(self, most: int, wait: int) -> list[Message]:
        """At most so many messages."""
        with self.changed:
            self.asked_for.append(most)
            if self.unavailable:
                self.unavailable -= 1
                raise RetryableError("ServiceUnavailable", "the queue did not answer")
            while not self.visible and not self.closed():
                self.changed.wait(0.01)
            taken, self.visible = self.visible[:most], self.visible[most:]
            self.hidden += taken
            return taken

    def keep(self, message: Message) -> None:
        """Remember that it was kept."""
        with self.changed:
            self.kept.append(message)

    def done(self, message: Message) -> None:
        """Delete a message."""
        with self.changed:
            self.hidden.remove(message)
            self.deleted.append(message)
            self.changed.notify_all()

    def put_back(self, message: Message) -> None:
        """Show a message again."""
        with self.changed:
            self.hidden.remove(message)
            self.visible.append(message)
            self.changed.notify_all()
