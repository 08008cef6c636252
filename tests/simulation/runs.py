"""One simulated saga from a seed: what is asked for, what goes wrong, what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from lambdas.core.states import SagaStatus
from tests.simulation.answers import Answer, random_answer
from tests.simulation.clouds import Clouds
from tests.simulation.judge import Violation
from tests.simulation.requests import random_request
from tests.simulation.simulated import Mutation, SimulatedWorld, world_on
from tests.simulation.upsets import PlannedUpsets, RandomUpsets, Upset, Upsets

NO_MUTATIONS: Final[Mapping[str, Mutation]] = {}
_EVERY: Final = 4
"""Of so many committed sagas one is destroyed afterwards, under the same upsets."""


@dataclass(frozen=True)
class Scenario:
    """What is asked for: the request, and seconds after which the provisioning execution times out, if it is to.

    `answer` is what comes of the request's wish for approval.
    """

    seed: int
    document: Mapping[str, Any]
    execution_timeout: int | None = None
    destroy: bool = False
    answer: Answer | None = None


@dataclass
class Result:
    """What became of a saga: its first ending, what went wrong, what did not hold; times are virtual seconds."""

    seed: int
    status: str = ""
    transient: bool = False
    unremovable: bool = False
    struck: list[Upset] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    log: list[tuple[float, str]] = field(default_factory=list)
    sites: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    resumed: bool | None = None
    taken_up: int = 0
    orphans: int = 0
    doubles: int = 0
    roll_back_seconds: float | None = None

    @property
    def faults(self) -> Counter[str]:
        """How often each kind of upset struck."""
        return Counter(upset.kind for upset in self.struck)


def scenario_of(seed: int) -> Scenario:
    """The scenario that a seed stands for."""
    random = Random(f"scenario:{seed}")  # noqa: S311 -- runs must repeat for a seed
    timeout = random.randint(1, 60) if random.random() < 0.03 else None
    document = random_request(random)
    answer = random_answer(Random(f"answer:{seed}"))  # noqa: S311 -- and so that other draws stay as they are
    if answer is not None:
        document |= answer.wish
    return Scenario(seed, document, timeout, destroy=seed % _EVERY == 0, answer=answer)


def run_seed(kept: Clouds, seed: int, mutations: Mapping[str, Mutation] = NO_MUTATIONS) -> Result:
    """Run what a seed stands for."""
    world = _world(kept, scenario_of(seed), mutations)
    world.upsets = RandomUpsets(seed, world.clock.now)
    return _run(world, scenario_of(seed))


def run_plan(
    kept: Clouds, scenario: Scenario, plan: Sequence[Upset], mutations: Mapping[str, Mutation] = NO_MUTATIONS
) -> Result:
    """Run a scenario with exactly these upsets."""
    world = _world(kept, scenario, mutations)
    world.upsets = PlannedUpsets(plan)
    return _run(world, scenario)


def shortest(kept: Clouds, scenario: Scenario, found: Result, mutations: Mapping[str, Mutation], tries: int) -> Result:
    """The run with the fewest upsets that still violates what `found` does: halves are left out, then single ones."""
    invariants = {violation.invariant for violation in found.violations}
    best, size = found, max(1, len(found.struck) // 2)
    while tries > 0 and size >= 1:
        smaller = None
        for start in range(0, len(best.struck), size):
            tries -= 1
            plan = best.struck[:start] + best.struck[start + size :]
            tried = run_plan(kept, scenario, plan, mutations)
            if invariants & {violation.invariant for violation in tried.violations}:
                smaller = tried
                break
            if tries <= 0:
                break
        if smaller is None:
            size //= 2
        else:
            best, size = smaller, min(size, max(1, len(smaller.struck) // 2))
    return best


def _world(kept: Clouds, scenario: Scenario, mutations: Mapping[str, Mutation]) -> SimulatedWorld:
    return world_on(
        kept, scenario.seed, execution_timeout=scenario.execution_timeout, answer=scenario.answer, mutations=mutations
    )


def _run(world: SimulatedWorld, scenario: Scenario) -> Result:
    try:
        world.begin(scenario.document)
        world.settle()
        world.conclude()
        status = world.standing().saga.status
        roll_back_seconds = world.judge.rolled_back_after
        if status is SagaStatus.COMMITTED and scenario.destroy:
            _destroy(world)
        resumed = _resume(world)
    finally:
        world.engine.close()
    return Result(
        seed=scenario.seed,
        status=status,
        transient=not (world.upsets.decisive or scenario.execution_timeout or _unapproved(scenario)),
        unremovable=world.upsets.unremovable,
        struck=list(world.upsets.struck),
        violations=world.judge.violations,
        log=world.log,
        sites=world.upsets.sites,
        resumed=resumed,
        taken_up=world.taken_up,
        orphans=world.judge.orphans,
        doubles=world.judge.doubles,
        roll_back_seconds=roll_back_seconds,
    )


def _unapproved(scenario: Scenario) -> bool:
    return scenario.answer is not None and not scenario.answer.approves


def _destroy(world: SimulatedWorld) -> None:
    world.judge.fenced_at = None
    world.sagas.destroy(world.saga_id)
    world.settle()
    world.conclude()
    if world.standing().saga.status is SagaStatus.COMMITTED:
        world.judge.blame("endings", "it was destroyed and is COMMITTED")


def _resume(world: SimulatedWorld) -> bool | None:
    """Whether a saga that needs attention ends well once nothing goes wrong any more; None for any other."""
    if world.standing().saga.status is not SagaStatus.NEEDS_ATTENTION:
        return None
    upsets, world.upsets = world.upsets, Upsets()
    world.sagas.resume(world.saga_id)
    world.settle()
    world.conclude()
    world.upsets = upsets
    ended = world.standing().saga.status in (SagaStatus.ROLLED_BACK, SagaStatus.RELEASED)
    if not ended:
        world.judge.blame("attention", f"resumed with nothing in the way it is {world.standing().saga.status}")
    return ended
