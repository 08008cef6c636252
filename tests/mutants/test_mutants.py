"""Each pitfall, put back in, is caught by the simulation; without it nothing is caught in the same trouble."""

from __future__ import annotations

import pytest

from tests.mutants.mutants import MUTANTS, Mutant
from tests.simulation.clouds import Clouds
from tests.simulation.requests import three_clouds
from tests.simulation.runs import NO_MUTATIONS, Scenario, run_plan

SEEDS = range(1, 6)


def violated(kept: Clouds, mutant: Mutant, seed: int, *, mutated: bool) -> set[str]:
    """The invariants that do not hold when the three-cloud saga meets the mutant's trouble."""
    mutations = mutant.mutations if mutated else NO_MUTATIONS
    document = three_clouds() | (mutant.answer.wish if mutant.answer else {})
    result = run_plan(kept, Scenario(seed, document, answer=mutant.answer), mutant.trouble, mutations)
    return {violation.invariant for violation in result.violations}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda it: it.pitfall.replace(" ", "-"))
def test_a_pitfall_is_caught_within_five_seeds(kept: Clouds, mutant: Mutant) -> None:
    with mutant.at_large():
        assert any(mutant.violates in violated(kept, mutant, seed, mutated=True) for seed in SEEDS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda it: it.pitfall.replace(" ", "-"))
def test_without_it_the_same_seeds_violate_nothing(kept: Clouds, mutant: Mutant) -> None:
    for seed in SEEDS:
        assert violated(kept, mutant, seed, mutated=False) == set()
