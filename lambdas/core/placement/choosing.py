"""Which cluster to try first, which then, and what to say when there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from math import ceil
from random import Random
from typing import Final, NamedTuple

from lambdas.core.placement.board import Board
from lambdas.core.placement.filtering import OLDEST_REPORT, Filter, Reason
from lambdas.core.placement.needs import Need
from lambdas.core.placement.weighing import score

LONGEST_REFUSAL: Final = 1500
"""Characters: a refusal is kept in the ledger and shown wherever the resource is."""

_FEWEST: Final = 3
_SPREAD_OVER: Final = 0.25
_NAMED: Final = 3


class Choice(NamedTuple):
    """The clusters to try, in this order, and why each of the others is none of them. Nothing to try: no candidate."""

    ranked: tuple[str, ...]
    refusals: Mapping[str, Reason]


def choose(need: Need, board: Board, now: datetime, random: Random, oldest_report: float = OLDEST_REPORT) -> Choice:
    """Choose among the clusters of a board; the order in which they are on it does not matter.

    First comes the better one of two that are drawn among the best, so that placers who all see the same do not all
    choose the same; then all others, best first, for when it is taken meanwhile.
    """
    moment = now.timestamp()
    refuses = Filter(need, oldest_report).refuses
    refusals: dict[str, Reason] = {}
    scored: list[tuple[float, str]] = []
    for cluster in board:
        age = moment - cluster.facts.reported
        reason = refuses(cluster, age)
        if reason is None:
            scored.append((-score(need, cluster, age, oldest_report), cluster.name))
        else:
            refusals[cluster.name] = reason
    scored.sort()
    ranked = [name for _, name in scored]
    if len(ranked) > 1:
        ranked.insert(0, ranked.pop(_better_of_two(_best(need, len(ranked)), random)))
    return Choice(tuple(ranked), refusals)


def refusal(need: Need, refusals: Mapping[str, Reason], longest: int = LONGEST_REFUSAL) -> str:
    """Say why no cluster takes a machine: what most clusters lack first, in at most `longest` characters.

    Clusters of other providers and targets are not mentioned: the caller may not be meant to know of them.
    """
    ours = {name: reason for name, reason in refusals.items() if not reason.elsewhere}
    where = f"{need.provider} cluster of the target {need.target!r}"
    if not ours:
        return f"no {where} has ever reported; an operator can declare one, or start its worker"
    said = f"no {where} can take this machine."
    unsaid = len(ours)
    for names, text in _grouped(ours):
        sentence = f" {text}."
        if len(said) + len(sentence) + len(_others(unsaid)) > longest:
            break
        said += sentence
        unsaid -= names
    return said + (_others(unsaid) if unsaid else "")


def _best(need: Need, candidates: int) -> int:
    """How many of the candidates are good enough to be drawn.

    To spread, a share of them: what a placer knows is seconds old, and whatever looked best then is what all others
    chose meanwhile. To pack, very few, or nothing would be packed.
    """
    share = ceil(_SPREAD_OVER * candidates) if need.prefer == "spread" else 0
    return min(candidates, max(_FEWEST, share))


def _better_of_two(count: int, random: Random) -> int:
    """The lower of two different numbers below `count`."""
    one, other = random.randrange(count), random.randrange(count - 1)
    return min(one, other if other < one else other + 1)


def _grouped(refusals: Mapping[str, Reason]) -> list[tuple[int, str]]:
    """For each reason, what holds of most clusters first: of how many it holds, and the sentence."""
    clusters: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in sorted(refusals.items()):
        clusters[reason.text].append(f"{name} ({reason.detail})" if reason.detail else name)
    groups = sorted(clusters.items(), key=lambda group: (-len(group[1]), group[0]))
    return [(len(names), f"{_listed(names)}: {text}") for text, names in groups]


def _listed(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _others(count: int) -> str:
    return f" {count} more for other reasons."
