"""Placers at work at once, in virtual time, each on what it read some seconds ago; the claim decides."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final, TypeVar

from bench.placement_fleet import START
from lambdas.core.clusters import Amounts, Claim, Claimed, ClusterStanding
from lambdas.core.placement.board import Board
from lambdas.core.placement.choosing import choose
from lambdas.core.placement.filtering import Filter
from lambdas.core.placement.needs import Need

CLAIM_SECONDS: Final = (0.010, 0.030)
"""From sending a claim to its answer."""

PAUSE_SECONDS: Final = (0.050, 0.150)
"""From one placement of a placer to its next: what else the function does, and the way there and back."""

T = TypeVar("T")

Ranking = Callable[[Need, Board, Random], Sequence[str]]
"""What a placer tries, in this order."""


def ours(need: Need, board: Board, random: Random) -> Sequence[str]:
    """What skysaga tries."""
    return choose(need, board, START, random).ranked


def at_random(need: Need, board: Board, random: Random) -> Sequence[str]:
    """Whatever can take it, in any order."""
    able = _able(need, board)
    random.shuffle(able)
    return able


def in_turn() -> Ranking:
    """Whatever can take it, in turn: all placers share the counter, which is more than they could in truth."""
    turn = 0

    def rank(need: Need, board: Board, _: Random) -> Sequence[str]:
        nonlocal turn
        turn += 1
        able, first = _able(need, board), turn % len(board)
        return sorted(able, key=lambda name: (int(name[-3:]) - first) % len(board))

    return rank


def _able(need: Need, board: Board) -> list[str]:
    refuses = Filter(need).refuses
    moment = START.timestamp()
    return [it.name for it in board if refuses(it, moment - it.facts.reported) is None]


class Table:
    """What is claimed, as the ledger's table holds it: a claim is made whole or refused."""

    def __init__(self, standings: Sequence[ClusterStanding]) -> None:
        self._standings = {it.settings.name: it for it in standings}

    def claim(self, claim: Claim, bounds: Amounts, holder: str) -> bool:
        """Claim within bounds."""
        standing = self._standings[claim.cluster]
        after = standing.claimed.amounts + claim.amounts
        groups = dict(standing.claimed.groups)
        if not after.within(bounds) or claim.group in groups:
            return False
        if claim.group:
            groups[claim.group] = holder
        self._standings[claim.cluster] = standing._replace(claimed=Claimed(after, groups))
        return True

    def claimed(self, cluster: str) -> Claimed:
        """What is claimed of one cluster now."""
        return self._standings[cluster].claimed

    def standings(self) -> list[ClusterStanding]:
        """All clusters, as they stand now."""
        return list(self._standings.values())


class Stopwatch:
    """Adds up the processor's time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def time(self, call: Callable[[], T]) -> T:
        """Call, and count how long it takes."""
        began = time.thread_time()
        try:
            return call()
        finally:
            self.seconds += time.thread_time() - began


@dataclass
class Tally:
    """What came of a race.

    `deciding` and `placing` are seconds of the processor: of each choice, and of each placement with its claims. `lost`
    counts refused claims, `losers` the machines that had any, `unclear` those that were refused although some
    cluster, as it stood at that moment, could have taken them.
    """

    placed: int = 0
    refused: int = 0
    unclear: int = 0
    lost: int = 0
    losers: int = 0
    losers_placed: int = 0
    seconds: float = 0
    deciding: list[float] = field(default_factory=list)
    placing: list[float] = field(default_factory=list)


class Race:
    """Some placers share the needs; each reads all standings again when it read them `stale` seconds ago."""

    def __init__(self, table: Table, needs: Sequence[Need], rank: Ranking, placers: int, stale: float) -> None:
        self.tally = Tally()
        self._table = table
        self._truth = Board()
        self._needs = iter(enumerate(needs))
        self._rank = rank
        self._stale = stale
        self._random = Random(placers)  # noqa: S311 -- repeatable
        self._placers = [self._placer() for _ in range(placers)]

    def run(self) -> Tally:
        """Let every placer take the next need as soon as it is done with one, until there is none."""
        due = [(self._random.uniform(0, max(PAUSE_SECONDS)), number) for number in range(len(self._placers))]
        heapq.heapify(due)
        while due:
            self.tally.seconds, number = heapq.heappop(due)
            pause = next(self._placers[number], None)
            if pause is not None:
                heapq.heappush(due, (self.tally.seconds + pause, number))
        return self.tally

    def _placer(self) -> Iterator[float]:
        board, read_again = Board(), self._random.uniform(0, self._stale)
        board.learn(self._table.standings())
        for number, need in self._needs:
            if self.tally.seconds >= read_again:
                board.learn(self._table.standings())
                read_again = self.tally.seconds + self._stale
            yield from self._place(need, board, f"machine/{number}")
            yield self._random.uniform(*PAUSE_SECONDS)

    def _place(self, need: Need, board: Board, holder: str) -> Iterator[float]:
        """Try what the ranking says until a claim is made; rank again, knowing better, when every one was refused."""
        watch, lost, placed = Stopwatch(), 0, False
        ranked = self._decide(need, board, watch)
        while ranked and not placed:
            for name in ranked:
                yield self._random.uniform(*CLAIM_SECONDS)
                placed = watch.time(partial(self._claim, need, board, name, holder))
                if placed:
                    break
                lost += 1
            ranked = ranked if placed else self._decide(need, board, watch)
        self.tally.placing.append(watch.seconds)
        self._count(need, lost, placed)

    def _decide(self, need: Need, board: Board, watch: Stopwatch) -> Sequence[str]:
        before = watch.seconds
        ranked = watch.time(partial(self._rank, need, board, self._random))
        self.tally.deciding.append(watch.seconds - before)
        return ranked

    def _claim(self, need: Need, board: Board, name: str, holder: str) -> bool:
        claim = Claim.model_construct(cluster=name, amounts=need.amounts, group=need.group)
        placed = self._table.claim(claim, board[name].facts.bounds, holder)
        if placed:
            board.add(claim, holder)
        else:
            board.replace(name, self._table.claimed(name))
        return placed

    def _count(self, need: Need, lost: int, placed: bool) -> None:
        tally = self.tally
        tally.placed += placed
        tally.lost += lost
        tally.losers += lost > 0
        tally.losers_placed += placed and lost > 0
        tally.refused += not placed
        if not placed:
            self._truth.learn(self._table.standings())
            tally.unclear += bool(_able(need, self._truth))
