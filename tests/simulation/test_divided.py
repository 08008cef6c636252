"""Sagas whose header is known to each resource by way of a shard keep every invariant, in all sorts of trouble."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import pytest

from tests.fakes.divided import everything_divided
from tests.simulation.clouds import Clouds
from tests.simulation.exhaustive import SCENARIO, SUBJECTS, plans
from tests.simulation.requests import three_clouds
from tests.simulation.runs import run_plan, run_seed
from tests.simulation.simulated import world_on

_EVERY = 601


@pytest.fixture(autouse=True)
def _divided() -> Iterator[None]:
    with everything_divided():
        yield


def test_they_are_divided(kept: Clouds) -> None:
    world = world_on(kept, 5)
    world.begin(three_clouds())
    saga, resources = world.standing()
    world.engine.close()
    assert saga.division is not None
    assert saga.division.shards == len(resources) == len({it.position for it in resources})


def test_random_sagas_violate_nothing(kept: Clouds) -> None:
    assert {seed: found for seed in range(101, 111) if (found := run_seed(kept, seed).violations)} == {}


def test_single_upsets_all_over_the_saga_violate_nothing(kept: Clouds) -> None:
    found = {
        plan: result.violations
        for plan in islice(plans(kept, 1, SUBJECTS["three-clouds"]), 0, None, _EVERY)
        if (result := run_plan(kept, SCENARIO, plan)).violations
    }
    assert found == {}
