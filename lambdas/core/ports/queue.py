"""The queue that a cluster's tasks wait in."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Message(NamedTuple):
    """One delivery of a task: its text, and the receipt that this delivery is known by."""

    body: str
    receipt: str


class Queue(Protocol):
    """Hands out messages. One that was received shows itself again unless it is kept, or done, in time.

    All of it raises RetryableError.
    """

    def receive(self, most: int, wait: int) -> list[Message]:
        """At most so many messages, waiting for the first for so many seconds."""
        ...

    def keep(self, message: Message) -> None:
        """Hide a message from everybody else for a while longer: somebody is at work on it."""
        ...

    def done(self, message: Message) -> None:
        """Delete a message."""
        ...

    def put_back(self, message: Message) -> None:
        """Let everybody see a message again at once."""
        ...
