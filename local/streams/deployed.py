"""Event source mappings of streams as they are deployed, the records in these streams, and who keeps both."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Record = Dictionary[str, Any]
"""As a function is told of it."""


@dataclass(frozen=True)
class Mapping:
    """From a stream to a function, version or alias; `window` and `oldest` in seconds, `filters` are patterns in JSON.

    A batch is tried again `retries` times; None is for ever, and for `oldest` any age. `unsupported` names what it is
    deployed with and nobody here honours.
    """

    id: str
    stream_arn: str
    function_arn: str
    enabled: bool = True
    batch_size: int = 100
    window: float = 0.0
    from_the_beginning: bool = True
    filters: tuple[str, ...] = ()
    retries: int | None = None
    oldest: float | None = None
    bisects: bool = False
    reports_item_failures: bool = False
    destination: str | None = None
    unsupported: tuple[str, ...] = ()


class Streams(Protocol):
    """Where mappings and streams are kept; a stream that is gone is an empty one."""

    def mappings(self) -> Sequence[Mapping]:
        """Every event source mapping of a table's stream."""
        ...

    def read(self, stream_arn: str, after: int, count: int) -> Sequence[Record]:
        """At most `count` records whose sequence numbers are above `after`, in order."""
        ...

    def last(self, stream_arn: str) -> int:
        """The sequence number of the newest record; below those of all to come where there is none yet."""
        ...


def number(record: Record) -> int:
    """A record's sequence number."""
    return int(record["dynamodb"]["SequenceNumber"])
