"""The queue that a cluster's tasks wait in."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Message(NamedTuple):
    """One delivery of a task: its text, and the receipt that this delivery is known by."""

    body: str
    receipt: str


class Depth(NamedTuple):
    """How many tasks wait in a queue, and how many somebody has taken and not ended yet; about, as queues count."""

    waiting: int
    taken: int


class Depths(Protocol):
    """How full queues are."""

    def depth(self, url: str) -> Depth:
        """How full the queue at a URL is; raises RetryableError."""
        ...


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
