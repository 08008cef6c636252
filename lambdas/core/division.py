"""How sagas are divided: into waves, these into the batches that are worked on, and large ones into shards besides.

A write demands that its saga's header is as it was read, so a saga's writes come one after the other. That is too
slow for a large one, whose resources are divided into shards: each of them numbers and orders its own writes. There are
so few that one transaction can look at all of them, which is what an ending does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from math import ceil
from typing import Final, TypeVar

from lambdas.core.model import Division, Position

IN_A_BATCH: Final = 20
"""A batch costs a state transition, whatever is in it; all of it is worked on at the same time."""

MOST_UNDIVIDED: Final = 50
"""How many resources a saga may have and still one order of writes, in one transaction with which it is opened."""

MOST_SHARDS: Final = 98
"""All of them and the header with its event are written in one transaction, of at most 100 items:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html.
"""

T = TypeVar("T")


def is_divided(resources: int) -> bool:
    """Whether a saga of so many resources is divided."""
    return resources > MOST_UNDIVIDED


def batches_of(size: int) -> int:
    """How many batches a wave of so many resources has."""
    return ceil(size / IN_A_BATCH)


def batch_of(wave: Sequence[T], number: int) -> Sequence[T]:
    """What is in one batch of a wave."""
    return wave[number * IN_A_BATCH : (number + 1) * IN_A_BATCH]


def divided(waves: Sequence[Sequence[str]]) -> dict[str, Position]:
    """The position of each resource: every shard belongs to one wave, and has whole batches but for the last of it."""
    size = _shard_size([len(wave) for wave in waves])
    positions: dict[str, Position] = {}
    number = count()
    for wave, ids in enumerate(waves):
        for first in range(0, len(ids), size):
            position = Position(wave=wave, shard=next(number))
            positions |= dict.fromkeys(ids[first : first + size], position)
    return positions


def division_of(positions: Mapping[str, Position]) -> Division:
    """What the header of a saga says of the positions of its resources."""
    sizes = Counter(position.wave for position in positions.values())
    shards = {position.shard for position in positions.values()}
    return Division(waves=tuple(sizes[wave] for wave in range(len(sizes))), shards=len(shards))


def _shard_size(sizes: Sequence[int]) -> int:
    """The least number of resources a shard, in whole batches, with which there are not too many shards."""
    return next(
        batches * IN_A_BATCH
        for batches in count(1)
        if sum(ceil(size / (batches * IN_A_BATCH)) for size in sizes) <= MOST_SHARDS
    )
