"""What moto's DynamoDB streams lack: an end to what they keep, the account's clock, and transactions that cost nothing.

moto copies a table, with all that its stream has ever held, for every item of a transaction, to have it back when the
transaction fails; here a copy of a stream is only a mark of how far it had come.
"""

from __future__ import annotations

import pickle  # nosec B403
import zlib
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import RLock
from typing import Any, Final

from moto.dynamodb.models import table
from moto.dynamodb.models.table import StreamShard
from moto.moto_api._internal import mock_random

from local.clock import Clock, WallClock

TURN: Final = RLock()
"""Held by whoever is served by DynamoDB, and by whoever reads a stream: nobody sees into a transaction."""

MOST_KEPT: Final = 20_000
"""Records of a stream; AWS keeps what is a day old, however much that is."""

BLOCK: Final = 256
"""Records that are packed together: more than a transaction writes, since what is packed is not taken back."""


_Record = dict[str, Any]
"""A record as Lambda hands it on, but for the moment, which is a datetime here."""


class _Log:
    """Records in order, of which the newest stand as they are, and those before them in packed blocks.

    Hardly anybody reads an old one again. Each has most of an item twice, and so has the next one of that item, so they
    take a hundredth of the room. `first` is the place of the oldest that is kept.
    """

    def __init__(self) -> None:
        self.first = 0
        self._packed: deque[bytes] = deque()
        self._newest: list[_Record] = []

    def put(self, place: int, record: _Record) -> None:
        """Keep a record at a place, and nothing after it."""
        del self._newest[place - self._unpacked() :]
        self._newest.append(record)
        if len(self._newest) == 2 * BLOCK:
            self._packed.append(zlib.compress(pickle.dumps(self._newest[:BLOCK]), level=1))
            del self._newest[:BLOCK]
        while len(self._packed) * BLOCK > MOST_KEPT:
            self._packed.popleft()
            self.first += BLOCK

    def between(self, begin: int, end: int) -> list[_Record]:
        """The records from one place, which is kept, to before another."""
        unpacked = self._unpacked()
        found: list[_Record] = []
        for place in range(begin - (begin - self.first) % BLOCK, min(end, unpacked), BLOCK):
            block = self._packed[(place - self.first) // BLOCK]
            records = pickle.loads(zlib.decompress(block))  # noqa: S301 -- our own, from this process  # nosec B301
            found += records[max(0, begin - place) : end - place]
        return found + self._newest[max(0, begin - unpacked) : max(0, end - unpacked)]

    def _unpacked(self) -> int:
        """The place of the first that is not packed."""
        return self.first + len(self._packed) * BLOCK


class Shard(StreamShard):  # type: ignore[misc]  # moto is untyped here
    """A stream's one shard."""

    clock: Clock = WallClock()

    def __init__(self, account_id: str, of: Any) -> None:
        self._log, self._end = _Log(), 0
        super().__init__(account_id, of)

    def __deepcopy__(self, memo: dict[int, Any]) -> Shard:
        """How far it has come: the copy does not see what is added to this one later, and writes over it."""
        copied = object.__new__(Shard)
        copied.__dict__.update(self.__dict__)
        copied.table = memo.get(id(self.table), self.table)
        return copied

    @property
    def items(self) -> range:
        """As many as were ever added: moto asks for no more than their number."""
        return range(self._end)

    @items.setter
    def items(self, _: object) -> None:
        """Nothing: the shard's beginning is not moto's to choose."""

    def add(self, old: Any, new: Any) -> None:
        """Note that an item was what it was, and is what it is now."""
        record = _record(self.table, self.starting_sequence_number + self._end, old, new, self.clock.now())
        self._log.put(self._end, record)
        self._end += 1

    def get(self, start: int, quantity: int) -> list[_Record]:
        """At most so many records from a sequence number on; those that are no longer kept are left out."""
        begin = max(self._log.first, start - self.starting_sequence_number)
        return self._log.between(begin, min(begin + quantity, self._end))


def _record(of: Any, number: int, old: Any, new: Any, now: float) -> _Record:
    images = {"OldImage": _image(old), "NewImage": _image(new)}
    kept = of.stream_specification["StreamViewType"]
    wanted = {
        name: image
        for name, image in images.items()
        if image is not None and kept in ("NEW_AND_OLD_IMAGES", _VIEWS[name])
    }
    known = images["NewImage"] or images["OldImage"] or {}
    return {
        "eventID": mock_random.uuid4().hex,
        "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": of.table_arn.split(":")[3],
        "dynamodb": {
            "ApproximateCreationDateTime": datetime.fromtimestamp(int(now), UTC),
            "Keys": {key: known[key] for key in (of.hash_key_attr, of.range_key_attr) if key in known},
            **wanted,
            "SequenceNumber": str(number),
            "SizeBytes": sum(len(str(value)) for image in wanted.values() for value in image.values()),
            "StreamViewType": kept,
        },
    }


_VIEWS: Final[Mapping[str, str]] = {"OldImage": "OLD_IMAGE", "NewImage": "NEW_IMAGE"}


def _image(item: Any) -> dict[str, Any] | None:
    return None if item is None else dict(item.to_json()["Attributes"])


def correct_streams() -> None:
    """Have moto's tables keep their streams like this."""
    table.StreamShard = Shard


def set_streams_by(clock: Clock) -> None:
    """Let records be written at this clock's time."""
    Shard.clock = clock
