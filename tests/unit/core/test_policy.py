"""How patient the saga is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lambdas.core.policy import Policy


@given(st.floats(0, 10**6))
def test_a_delay_is_always_between_the_shortest_and_the_longest(waited: float) -> None:
    assert 2 <= Policy().delay(timedelta(seconds=waited)) <= 60


@given(st.floats(0, 10**5), st.floats(0, 10**5))
def test_delays_never_become_shorter(one: float, other: float) -> None:
    shorter, longer = sorted([one, other])
    assert Policy().delay(timedelta(seconds=shorter)) <= Policy().delay(timedelta(seconds=longer))


def test_half_an_hour_of_waiting_takes_at_most_40_looks() -> None:
    waited, looks = 0, 0
    while waited < 1800:
        waited += Policy().delay(timedelta(seconds=waited))
        looks += 1
    assert looks <= 40


def test_the_environment_sets_it_and_the_defaults_fill_in() -> None:
    policy = Policy.from_environment({"SKYSAGA_CREATE_TIMEOUT": "90.5", "SKYSAGA_MIN_DELAY": "0", "OTHER": "x"})
    assert (policy.create_timeout, policy.min_delay, policy.max_delay) == (90.5, 0, Policy().max_delay)


@pytest.mark.parametrize(("name", "value"), [("CREATE_TIMEOUT", "0"), ("MAX_DELAY", "0"), ("MIN_DELAY", "soon")])
def test_a_policy_that_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Policy.from_environment({f"SKYSAGA_{name}": value})
