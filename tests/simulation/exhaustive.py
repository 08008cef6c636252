"""Every single upset, and every pair: each kind at each call that a saga makes.

Each saga is gone through twice: as it commits, and as it rolls back because its last create fails. The three-cloud saga
has more than a million pairs, a saga of one disk few enough to go through them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from tests.simulation.clouds import Clouds
from tests.simulation.requests import one_disk, three_clouds
from tests.simulation.runs import Scenario, run_plan
from tests.simulation.upsets import CONTROLS, LONGEST_LATE, LONGEST_STALE, Upset

SCENARIO: Final = Scenario(seed=1, document=three_clouds())


class Subject(NamedTuple):
    """A saga to go through, and what makes it roll back."""

    scenario: Scenario
    roll_back: tuple[Upset, ...]


SUBJECTS: Final[Mapping[str, Subject]] = {
    "three-clouds": Subject(SCENARIO, (Upset("gcp:instances.insert", 1, "capacity", 5.0),)),
    "one-disk": Subject(Scenario(seed=1, document=one_disk()), (Upset("gcp:disks.insert", 1, "capacity", 5.0),)),
}

_SECONDS: Final = {
    "late": (3.0, LONGEST_LATE),
    "stale": (LONGEST_STALE,),
    "slow": (8.0, 20.0),
    "fail": (5.0,),
    "capacity": (5.0,),
    "repeated": (0.0, 3.0),
    "cold": (1.0, 10.0),
    "killed": tuple(float(call) for call in range(6)),
}
"""The durations that are tried of each kind; for `killed`, in front of which call outside."""


def single_upsets(kept: Clouds, given: Sequence[Upset], scenario: Scenario = SCENARIO) -> list[Upset]:
    """Every upset that a saga which already suffers from `given` can meet, one call after the other."""
    untouched = run_plan(kept, scenario, given)
    taken = {(upset.site, upset.nth) for upset in given}
    return [
        Upset(site, nth, kind, seconds)
        for site, nth, kinds in untouched.sites
        if (site, nth) not in taken
        for kind in (*kinds, *CONTROLS)
        for seconds in _SECONDS.get(kind, (0.0,))
    ]


def plans(kept: Clouds, size: int, subject: Subject) -> Iterator[tuple[Upset, ...]]:
    """Every plan with one upset, or with one or two, for the saga that commits and for the one that rolls back."""
    for given in ((), subject.roll_back):
        upsets = single_upsets(kept, given, subject.scenario)
        yield from ((*given, upset) for upset in upsets)
        if size > 1:
            yield from ((*given, *pair) for pair in combinations(upsets, 2) if _differ(pair))


def _differ(pair: tuple[Upset, ...]) -> bool:
    return (pair[0].site, pair[0].nth) != (pair[1].site, pair[1].nth)
