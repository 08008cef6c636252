"""Everything that can befall a saga that wants approval, at every call, one at a time."""

from __future__ import annotations

from itertools import islice
from typing import Final

import pytest

from tests.simulation.answers import Answer
from tests.simulation.clouds import Clouds
from tests.simulation.exhaustive import single_upsets
from tests.simulation.requests import one_disk
from tests.simulation.runs import Scenario, run_plan

BEFORE: Final = ("provisioning", "commit")
_EVERY: Final = 17


@pytest.mark.parametrize("verb", ["approve", "cancel", None])
@pytest.mark.parametrize("before", BEFORE)
def test_single_upsets_all_over_a_saga_that_wants_approval_violate_nothing(
    kept: Clouds, before: str, verb: str | None
) -> None:
    answer = Answer(before, within=120, verb=verb, delay=3.0)
    scenario = Scenario(1, one_disk(**answer.wish), answer=answer)
    upsets = single_upsets(kept, (), scenario)
    found = {
        upset: result.violations
        for upset in islice(upsets, BEFORE.index(before), None, _EVERY)
        if (result := run_plan(kept, scenario, [upset])).violations
    }
    assert found == {}


def test_an_answer_may_be_faster_than_the_function_that_asked(kept: Clouds) -> None:
    answer = Answer("provisioning", within=120, verb="approve", delay=0.05)
    for seed in range(1, 9):
        scenario = Scenario(seed, one_disk(**answer.wish), answer=answer)
        assert run_plan(kept, scenario, ()).violations == []
