"""Sagas in all sorts of trouble keep every invariant; the whole of it is `make simulate` and `--exhaustive`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.simulation import __main__ as simulate
from tests.simulation.batches import let_clouds_go
from tests.simulation.clouds import Clouds
from tests.simulation.exhaustive import SCENARIO, SUBJECTS, plans
from tests.simulation.requests import three_clouds
from tests.simulation.runs import Scenario, run_plan, run_seed, shortest
from tests.simulation.simulated import world_on
from tests.simulation.upsets import PlannedUpsets, Upset

_EVERY = 331
"""A representative part of the exhaustive plans: a prime, so that no kind and no call is left out by pattern."""


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    """A command keeps its clouds, and its silence, for as long as its process; here others come after it."""
    yield
    let_clouds_go()


def test_a_seed_is_replayed_to_the_letter(kept: Clouds) -> None:
    for seed in (11, 12, 13, 14):
        assert run_seed(kept, seed).log == run_seed(kept, seed).log


def test_what_befell_a_random_saga_befalls_it_again_as_a_plan(kept: Clouds) -> None:
    found = run_plan(kept, SCENARIO, [Upset("aws:RunInstances", 1, "lost"), Upset("azure:Disks_Get", 2, "slow", 20.0)])
    assert [upset.kind for upset in found.struck] == ["slow", "lost"]
    assert run_plan(kept, SCENARIO, found.struck).log == found.log


@pytest.mark.parametrize("seeds", [range(start, start + 10) for start in range(1, 21, 10)], ids=str)
def test_random_sagas_violate_nothing(kept: Clouds, seeds: range) -> None:
    assert {seed: found for seed in seeds if (found := run_seed(kept, seed).violations)} == {}


@pytest.mark.parametrize("part", range(4))
def test_single_upsets_all_over_the_saga_violate_nothing(kept: Clouds, part: int) -> None:
    every = _EVERY * 4
    found = {
        plan: result.violations
        for plan in islice(plans(kept, 1, SUBJECTS["three-clouds"]), part * _EVERY, None, every)
        if (result := run_plan(kept, SCENARIO, plan)).violations
    }
    assert found == {}


def test_pairs_of_upsets_of_the_smallest_saga_violate_nothing(kept: Clouds) -> None:
    subject = SUBJECTS["one-disk"]
    found = {
        plan: result.violations
        for plan in islice(plans(kept, 2, subject), 0, 18_000, _EVERY)
        if (result := run_plan(kept, subject.scenario, plan)).violations
    }
    assert found == {}


def test_a_reproduction_is_shortened_to_what_matters(kept: Clouds) -> None:
    def give_up_at_once(definition: dict[str, Any]) -> None:
        definition["TimeoutSeconds"] = 1

    scenario = Scenario(3, three_clouds())
    mutations = {"release": give_up_at_once}
    trouble = [
        Upset("gcp:instances.insert", 1, "capacity", 5.0),
        Upset("aws:DescribeVolumes", 1, "throttle"),
        Upset("ledger:read", 7, "slow", 2.0),
    ]
    found = run_plan(kept, scenario, trouble, mutations)
    assert {violation.invariant for violation in found.violations} >= {"endings"}
    best = shortest(kept, scenario, found, mutations, tries=20)
    assert [upset.kind for upset in best.struck] == ["capacity"]


@pytest.mark.parametrize("outage", [range(1, 40), range(60, 200)], ids=["at the fence", "in the middle"])
def test_a_destroy_outlasts_a_ledger_that_refuses_for_long(kept: Clouds, outage: range) -> None:
    world = world_on(kept, 5)
    world.begin(three_clouds())
    world.settle()
    assert world.standing().saga.status == "COMMITTED"
    world.upsets = PlannedUpsets([Upset("ledger:read", nth, "refused") for nth in outage])
    world.sagas.destroy(world.saga_id)
    world.settle()
    if world.standing().saga.status == "NEEDS_ATTENTION":
        world.sagas.resume(world.saga_id)
        world.settle()
    assert world.standing().saga.status == "RELEASED"
    assert not world.inventory()
    world.engine.close()


def test_the_summary_has_what_others_rely_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept_in = tmp_path / "summary.json"
    assert simulate.main(["--runs", "2", "--json", str(kept_in)]) == 0
    summary = json.loads(kept_in.read_text())
    assert json.loads(capsys.readouterr().out) == summary
    fixed = "runs completed recovered rolled_back needs_attention orphans doubles half_done violations faults seconds"
    assert set(fixed.split()) <= set(summary)
    assert summary["runs"] == 2
