"""Explores a transition system breadth first: every state, the shortest way to a wrong one, and how runs end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from enum import Enum, auto
from typing import Generic, NamedTuple, TypeVar

S = TypeVar("S", bound=Hashable)


class Kind(Enum):
    """Who makes a move, which decides whether the system may count on it."""

    PROGRESS = auto()  # the system's own next step, or time: happens unless something else does first
    FAULT = auto()  # the fault model's: may happen at any time, and any number of times
    REPEAT = auto()  # a step taken though it was not due, or twice at once
    PERSON = auto()  # asked for from outside: cancel, destroy, resume


class Move(NamedTuple, Generic[S]):
    """One way on from a state."""

    label: str
    kind: Kind
    after: S


class System(NamedTuple, Generic[S]):
    """A transition system and what is demanded of it."""

    initial: S
    moves: Callable[[S], Iterable[Move[S]]]
    wrong: Callable[[S], str | None]
    """What is wrong with a state, if anything."""
    ended: Callable[[S], bool]
    """Whether a run may stop there."""
    clean: Callable[[S], bool]
    """Whether it ended well; from every state that must still be possible without another fault."""


class Trace(NamedTuple):
    """What went wrong, and the shortest way there."""

    problem: str
    labels: tuple[str, ...]


class Verdict(NamedTuple):
    """What exploring found: the trace of the first problem, or none; and, where none, how far a run can still go."""

    states: int
    moves: int
    trace: Trace | None
    longest: int
    """The most moves that a run takes to end once faults and repeats have ceased."""


class _Graph(Generic[S]):
    """The states found so far, numbered, and the moves between them that matter for how runs end."""

    def __init__(self, initial: S) -> None:
        self.numbers = {initial: 0}
        self.states = [initial]
        self.origins: list[tuple[int, str]] = [(-1, "")]
        self.progress: list[list[int]] = []
        self.hopeful: list[list[int]] = []
        self.moves = 0

    def expand(self, number: int, moves: Iterable[Move[S]]) -> None:
        """Add what can follow a state; a move that changes nothing is none."""
        progress, hopeful = [], []
        for label, kind, after in moves:
            target = self.numbers.get(after)
            if target is None:
                target = self.numbers[after] = len(self.states)
                self.states.append(after)
                self.origins.append((number, label))
            elif target == number:
                continue
            self.moves += 1
            if kind is Kind.PROGRESS:
                progress.append(target)
            elif kind is Kind.PERSON:
                hopeful.append(target)
        self.progress.append(progress)
        self.hopeful.append(progress + hopeful)

    def trace(self, number: int, problem: str) -> Trace:
        """The shortest way to a state."""
        labels = []
        while number > 0:
            number, label = self.origins[number]
            labels.append(label)
        return Trace(problem, tuple(reversed(labels)))


def check(system: System[S]) -> Verdict:
    """Explore everything; the verdict has a trace if any state is wrong, or if any run need not end, or end well."""
    graph = _Graph(system.initial)
    trace = _first_wrong(graph, system)
    longest = 0
    if trace is None:
        longest, trace = _endless(graph)
    if trace is None:
        trace = _hopeless(graph, system)
    return Verdict(len(graph.states), graph.moves, trace, longest)


def _first_wrong(graph: _Graph[S], system: System[S]) -> Trace | None:
    number = 0
    while number < len(graph.states):
        state = graph.states[number]
        problem = system.wrong(state)
        if problem is None:
            graph.expand(number, system.moves(state))
            if not graph.progress[number] and not system.ended(state):
                problem = "stops without an ending"
        if problem is not None:
            return graph.trace(number, problem)
        number += 1
    return None


def _endless(graph: _Graph[S]) -> tuple[int, Trace | None]:
    """The longest run of progress, by taking states away whose predecessors are all gone; what remains has a cycle."""
    waiting = [0] * len(graph.states)
    for targets in graph.progress:
        for target in targets:
            waiting[target] += 1
    depth = [0] * len(graph.states)
    free = deque(number for number, count in enumerate(waiting) if count == 0)
    while free:
        number = free.popleft()
        for target in graph.progress[number]:
            depth[target] = max(depth[target], depth[number] + 1)
            waiting[target] -= 1
            if waiting[target] == 0:
                free.append(target)
    cycle = next((number for number, count in enumerate(waiting) if count), None)
    return max(depth), None if cycle is None else graph.trace(cycle, "goes on for ever without a fault")


def _hopeless(graph: _Graph[S], system: System[S]) -> Trace | None:
    """The way to a state from which no ending is clean, whatever people do and however long nothing fails."""
    before: list[list[int]] = [[] for _ in graph.states]
    for number, targets in enumerate(graph.hopeful):
        for target in targets:
            before[target].append(number)
    saved = {number for number, state in enumerate(graph.states) if system.clean(state)}
    work = list(saved)
    while work:
        found = set(before[work.pop()]) - saved
        saved |= found
        work += found
    lost = next((number for number in range(len(graph.states)) if number not in saved), None)
    return None if lost is None else graph.trace(lost, "cannot end well any more")
