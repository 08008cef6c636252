"""How quickly, how evenly and at what price machines are placed on private clusters.

200 clusters, 5,000 machines, 32 placers at once, each on what it read up to `STALE_SECONDS` ago. In the race that tells
of time and evenness the table is in memory and time is virtual; times are of the processor. What the table charges, and
that it never lets too much be claimed, is measured on the deployed code, with DynamoDB played by moto.

The load of a cluster is the share of it that is claimed, of whichever resource that is the largest. The mean load is
that of all clusters taken together, which is the same whoever places the machines: no offline optimum is below it. The
mean of the loads that a placer left is not: who places machines where they take most, as at random, raises it.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Sequence
from random import Random
from statistics import mean, median, quantiles
from typing import Final, NamedTuple

from bench.figure import Figure, plain
from bench.placement_fleet import fleet, needs
from bench.placement_offline import largest_first, least_peak, loads
from bench.placement_race import Race, Ranking, Table, Tally, at_random, in_turn, ours
from bench.placement_table import cost, crowd
from bench.prices import PRICES_OF
from lambdas.core.clusters import ClusterStanding
from lambdas.core.placement.board import Board
from lambdas.core.placement.needs import Need

CLUSTERS: Final = 200
MACHINES: Final = 5000
PLACERS: Final = 32
STALE_SECONDS: Final = 1.0
"""What lambdas/placement/handler.py lets what it read be."""

FRESH_SECONDS: Final = 0.2
"""What it is when everything is read anew for each placement."""

FLEETS: Final = (11, 12, 13, 14)
"""Seeds; placement was tuned on 1 to 4."""

DECISIONS: Final = 1000
_MILLI: Final = 1000
_THOUSAND: Final = 1000


class Result(NamedTuple):
    """What came of a race: its tally, the load of each cluster, and of how many more is claimed than may be."""

    tally: Tally
    loads: list[float]
    over: int


def race(standings: Sequence[ClusterStanding], wanted: Sequence[Need], rank: Ranking, stale: float) -> Result:
    """Let all placers place all machines."""
    table = Table(standings)
    gc.collect()
    tally = Race(table, wanted, rank, PLACERS, stale).run()
    board = Board(table.standings())
    over = sum(not it.claimed.amounts.within(it.facts.bounds) for it in board)
    return Result(tally, loads(board), over)


def figures() -> list[Figure]:
    """Time, evenness, races and price."""
    logging.disable(logging.CRITICAL)
    random = Random(1)  # noqa: S311 -- repeatable
    standings, wanted = fleet(random, CLUSTERS), needs(random, MACHINES)
    placed = race(standings, wanted, ours, STALE_SECONDS)
    return [
        *_times(placed.tally),
        *_evenness(),
        *_races(standings),
        *_price(),
    ]


def _times(tally: Tally) -> list[Figure]:
    method = f"processor time of {len(tally.deciding)} decisions over {CLUSTERS} clusters, in pure Python"
    whole = "the same with the claim in memory and what is learnt from it"
    rate = len(tally.deciding) / sum(tally.deciding)
    return [
        Figure(
            name="placement: decisions a second on one core",
            value=round(rate),
            unit="1/s",
            goal=f"at least {DECISIONS} 1/s",
            met=rate >= DECISIONS,
            peer=None,
            ratio=None,
            method=method,
        ),
        plain("placement: decision, median", median(tally.deciding) * _MILLI, "ms", method, 2),
        plain("placement: decision, p99", _p99(tally.deciding), "ms", method, 2),
        plain("placement: decision and claim, median", median(tally.placing) * _MILLI, "ms", whole, 2),
        plain("placement: decision and claim, p99", _p99(tally.placing), "ms", whole, 2),
    ]


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[98] * _MILLI


def _evenness() -> list[Figure]:
    """Of several fleets, none of which was looked at when the weights of placement were chosen."""
    races = [_all_placers(seed) for seed in FLEETS]
    method = (
        f"mean of {len(FLEETS)} fleets, {MACHINES} machines each by {PLACERS} placers; what a placer knows is up to "
        "{stale:g} s old; on the worst fleet {worst:.2f}"
    )
    figures = []
    for name, what in (("placement: peak to mean load", 0), ("placement: peak to the mean of its own loads", 1)):
        ratios = {placer: [of[placer][what] for of in races] for placer in races[0]}
        peers = {it: round(mean(ratios[it]), 2) for it in ratios if it not in ("stale", "fresh")}
        for which, suffix, stale in (("stale", "", STALE_SECONDS), ("fresh", ", all read anew", FRESH_SECONDS)):
            told = method.format(stale=stale, worst=max(ratios[which]))
            figures.append(_beside(name + suffix, mean(ratios[which]), peers, told))
    return figures


def _all_placers(seed: int) -> dict[str, tuple[float, float]]:
    """By placer: its peak load as a multiple of the mean load, and of the mean of the loads that it left."""
    random = Random(seed)  # noqa: S311 -- repeatable
    standings, wanted = fleet(random, CLUSTERS), needs(random, MACHINES)
    overall = least_peak(Board(standings), wanted)
    found = {
        "stale": race(standings, wanted, ours, STALE_SECONDS).loads,
        "fresh": race(standings, wanted, ours, FRESH_SECONDS).loads,
        "all known beforehand": loads(largest_first(standings, wanted)),
        "random": race(standings, wanted, at_random, STALE_SECONDS).loads,
        "round robin": race(standings, wanted, in_turn(), STALE_SECONDS).loads,
    }
    return {name: (max(of) / overall, max(of) / mean(of)) for name, of in found.items()}


def _beside(name: str, value: float, peers: dict[str, float], method: str) -> Figure:
    """Beside a good offline placement, of which no peak to mean load is below 1, and simple placers."""
    return Figure(name=name, value=round(value, 2), unit="", goal=None, met=None, peer=peers, ratio=None, method=method)


def _races(standings: Sequence[ClusterStanding]) -> list[Figure]:
    """More machines than there is room for, half of them to be packed."""
    wanted = needs(Random(2), 3 * MACHINES, pack=0.5)  # noqa: S311 -- repeatable
    full = race(standings, wanted, ours, STALE_SECONDS)
    tally = full.tally
    method = f"{len(wanted)} machines, half of them packed: {tally.placed} placed, {tally.refused} refused"
    real = crowd(clusters=5, placements=6 * PLACERS, placers=PLACERS)
    on_moto = (
        f"{6 * PLACERS} machines on 5 small clusters by {PLACERS} threads of the deployed code over moto, each on what "
        f"it read at first: {real.placed} placed, {real.refused} refused, {real.lost} claims lost"
    )
    lost = (
        f"{tally.losers} machines lost {tally.lost} claims in a race: {tally.losers_placed} of them were placed, "
        "the others refused with a reason for each cluster"
    )
    return [
        _none("placement: clusters claimed over capacity", full.over, method),
        _none("placement: machines refused although there was room", tally.unclear, method),
        plain("placement: lost races", tally.lost, "", lost, 0),
        _none("placement: clusters claimed over capacity on the table", real.over, on_moto),
        _none("placement: clusters whose claims are not what their machines say", real.untrue, on_moto),
        _none("placement: machines refused without a reason on the table", real.unclear, on_moto),
    ]


def _none(name: str, value: int, method: str) -> Figure:
    return Figure(name=name, value=value, unit="", goal="0", met=value == 0, peer=None, ratio=None, method=method)


def _price() -> list[Figure]:
    bill = cost(CLUSTERS, placements=100)
    method = f"{bill.write_units:.1f} write and {bill.read_units:.1f} read units each; prices of {PRICES_OF}"
    reading = f"{bill.units_to_read_all:.0f} read units, at most once in {STALE_SECONDS:g} s in each function at work"
    return [
        plain("placement: DynamoDB per 1,000 placements", bill.placement * _THOUSAND, "$", method, 4),
        plain(f"placement: reading {CLUSTERS} clusters 1,000 times", bill.reading_all * _THOUSAND, "$", reading, 4),
    ]
