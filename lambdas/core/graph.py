"""The order of creation: first what depends on nothing, then what depends only on that, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter


def waves(dependencies: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """The resources in waves, each depending only on earlier ones; within a wave in the order given.

    `dependencies` maps every resource to what it depends on, and must have no cycle.
    """
    rank = ranks(dependencies)
    found: list[list[str]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for resource in dependencies:
        found[rank[resource]].append(resource)
    return tuple(map(tuple, found))


def ranks(dependencies: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many resources have to be ready one after the other before each, at the longest.

    `dependencies` must have no cycle; what it names and does not map depends on nothing.
    """
    rank: dict[str, int] = {}
    for resource in TopologicalSorter(dependencies).static_order():
        rank[resource] = 1 + max((rank[other] for other in dependencies.get(resource, ())), default=-1)
    return rank


def find_cycle(dependencies: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """One cycle, as the ids along it with the first repeated at the end, or nothing."""
    try:
        TopologicalSorter(dependencies).prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1]))
    return ()
