"""How even the load could be if every machine were known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from lambdas.core.clusters import Amounts, Claim, ClusterStanding
from lambdas.core.placement.board import Board, Cluster
from lambdas.core.placement.filtering import Filter
from lambdas.core.placement.needs import Need


def least_peak(board: Board, needs: Sequence[Need]) -> float:
    """A peak load below which no placement of all the needs on these clusters can be, whoever makes it.

    If nobody has claimed more than the share P of any cluster, then of all clusters together, too, not more than P is
    claimed. So P is at least what all needs together take of all clusters together, of each resource. What keeps
    machines from some clusters can only raise it, so that the optimum may well be above this.
    """
    wanted = sum((need.amounts for need in needs), Amounts())
    there = sum((cluster.facts.bounds for cluster in board), Amounts())
    return _load(wanted, there)


def largest_first(standings: Sequence[ClusterStanding], needs: Sequence[Need]) -> Board:
    """A good placement by somebody who knows all needs: the largest first, each where the load is the least with it."""
    board = Board(standings)
    for number, need in enumerate(sorted(needs, key=lambda it: it.amounts.memory_mb, reverse=True)):
        refuses = Filter(need).refuses
        able = [(_load_with(need, it), it.name) for it in board if refuses(it, 0) is None]
        claim = Claim.model_construct(cluster=min(able)[1], amounts=need.amounts, group=need.group)
        board.add(claim, f"machine/{number}")
    return board


def _load_with(need: Need, cluster: Cluster) -> float:
    wanted, bounds = need.amounts, cluster.facts.bounds
    return 1 - min(
        (cluster.cpu_left - wanted.cpu) / bounds.cpu,
        (cluster.memory_left - wanted.memory_mb) / bounds.memory_mb,
        (cluster.disk_left - wanted.disk_gb) / bounds.disk_gb,
    )


def loads(board: Board) -> list[float]:
    """The share of each cluster that is claimed, of whichever resource it is the largest."""
    return [_load(it.claimed.amounts, it.facts.bounds) for it in board]


def _load(claimed: Amounts, bounds: Amounts) -> float:
    return max(claimed.cpu / bounds.cpu, claimed.memory_mb / bounds.memory_mb, claimed.disk_gb / bounds.disk_gb)
