"""Which cluster to try first, which then, and what to say when there is none."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random
from typing import Final, NamedTuple

from lambdas.core.placement.board import Board, Cluster
from lambdas.core.placement.filtering import OLDEST_REPORT, Filter, Reason
from lambdas.core.placement.needs import Need
from lambdas.core.placement.weighing import capacity, score

LONGEST_REFUSAL: Final = 1500
"""Characters: a refusal is kept in the ledger and shown wherever the resource is."""

# What is spread is drawn from all candidates within `_ALIKE` of the best score, and at least a few, each as probable as
# it has room above that level. So placers who know nothing of what the others did in the last seconds fill all of them
# evenly, small and large, and none is run over. Found by simulation (bench/placement_race.py): a third of it is better
# by a little where nothing is stale, and far worse where everything is seconds old.
_ALIKE: Final = 0.15
_FEW_TO_SPREAD: Final = 8
_FEW_TO_PACK: Final = 3
_LEAST: Final = 1e-3  # nobody among them is impossible, even where all are alike

_NAMED: Final = 3  # clusters for each reason in a refusal

_Scored = tuple[float, str, Cluster]
"""A candidate by its negative score, so that the best sort first, and equals by name."""


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
    scored: list[_Scored] = []
    for cluster in board:
        age = moment - cluster.facts.reported
        reason = refuses(cluster, age)
        if reason is None:
            scored.append((-score(need, cluster, age, oldest_report), cluster.name, cluster))
        else:
            refusals[cluster.name] = reason
    scored.sort()
    ranked = [name for _, name, _ in scored]
    if len(ranked) > 1:
        ranked.insert(0, ranked.pop(min(_draw_two(need, scored, random))))
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


def _draw_two(need: Need, scored: Sequence[_Scored], random: Random) -> list[int]:
    """The places of two candidates among the best, who may be the same."""
    if need.prefer == "pack":  # among very few, or nothing would be packed
        return random.choices(range(min(_FEW_TO_PACK, len(scored))), k=2)
    level = scored[0][0] + _ALIKE
    count = bisect(scored, (level,))
    if count < _FEW_TO_SPREAD:
        count = min(_FEW_TO_SPREAD, len(scored))
        level = max(level, scored[count - 1][0] + _LEAST)
    weights = [(level - negative + _LEAST) * capacity(need, cluster) for negative, _, cluster in scored[:count]]
    return random.choices(range(count), weights, k=2)


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
