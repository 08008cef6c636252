"""A measured figure, in the shape of bench/results.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypedDict

Pair = tuple[float, float]
"""This and its peer, measured one after the other. A machine's speed may change between pairs, so each has a ratio of
its own, and theirs has a median."""


class Figure(TypedDict):
    """`value` in `unit`; `goal` in words or the same unit and whether it is `met`, None where there is none.

    `peer` is the same measure of something else, by its name; `ratio` how many times better this is than the peer.
    """

    name: str
    value: float
    unit: str
    goal: str | float | None
    met: bool | None
    peer: dict[str, float] | None
    ratio: float | None
    method: str


def limited(name: str, value: float, unit: str, limit: float, method: str, digits: int = 1) -> Figure:
    """A figure that is to stay below `limit`."""
    goal = f"below {limit:g} {unit}"
    value = round(value, digits)
    return Figure(name=name, value=value, unit=unit, goal=goal, met=value < limit, peer=None, ratio=None, method=method)


def compared(name: str, value: float, unit: str, peer: tuple[str, float], times: float | None, method: str) -> Figure:
    """A rate that is to be at least `times` the peer's, or is only set beside it when `times` is None."""
    ratio = value / peer[1]
    return Figure(
        name=name,
        value=round(value, 1),
        unit=unit,
        goal=None if times is None else f"{times:g} times {peer[0]}'s",
        met=None if times is None else ratio >= times,
        peer={peer[0]: round(peer[1], 2)},
        ratio=round(ratio, 2),
        method=method,
    )


def cheaper(
    name: str, pairs: Sequence[Pair], unit: str, peer: str, times: float | None, method: str, digits: int = 1
) -> Figure:
    """A cost that is to be at most `times` the peer's, or is only set beside it when `times` is None."""
    return _paired(name, pairs, unit, peer, median(theirs / ours for ours, theirs in pairs), method, digits) | {
        "goal": None if times is None else f"at most {times:g} times {peer}",
        "met": None if times is None else median(ours / theirs for ours, theirs in pairs) <= times,
    }


def faster(name: str, pairs: Sequence[Pair], unit: str, peer: str, times: float, method: str) -> Figure:
    """A rate that is to be at least `times` the peer's."""
    ratio = median(ours / theirs for ours, theirs in pairs)
    return _paired(name, pairs, unit, peer, ratio, method, 1) | {
        "goal": f"{times:g} times {peer}'s",
        "met": ratio >= times,
    }


def _paired(name: str, pairs: Sequence[Pair], unit: str, peer: str, ratio: float, method: str, digits: int) -> Figure:
    value, beside = (round(median(column), digits) for column in zip(*pairs, strict=True))
    return plain(name, value, unit, method, digits) | {"peer": {peer: beside}, "ratio": round(ratio, 2)}


def plain(name: str, value: float, unit: str, method: str, digits: int = 1) -> Figure:
    """A figure without a goal."""
    value = round(value, digits)
    return Figure(name=name, value=value, unit=unit, goal=None, met=None, peer=None, ratio=None, method=method)


def typical(measure: Callable[[], float], repeats: int = 3) -> float:
    """The median of a few runs: what else the machine does spoils single ones."""
    return median(measure() for _ in range(repeats))


def least(measure: Callable[[], float], repeats: int = 5) -> float:
    """The least of a few runs of a cost: other work on the machine only ever adds to it."""
    return min(measure() for _ in range(repeats))
