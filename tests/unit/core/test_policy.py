"""How patient the saga is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lambdas.core.policy import Policy
from lambdas.core.request import MAX_MACHINES


@given(st.floats(0, 10**6))
def test_a_delay_is_always_between_the_shortest_and_the_longest(waited: float) -> None:
    assert 2 <= Policy().delay(timedelta(seconds=waited)) <= 60


@given(st.floats(0, 10**5), st.floats(0, 10**5))
def test_delays_never_become_shorter(one: float, other: float) -> None:
    shorter, longer = sorted([one, other])
    assert Policy().delay(timedelta(seconds=shorter)) <= Policy().delay(timedelta(seconds=longer))


def test_half_an_hour_of_waiting_takes_at_most_40_looks() -> None:
    assert rounds(Policy().delay, 1800) <= 40


def test_the_longest_provisioning_of_the_largest_request_stays_below_the_limit_of_25000_events() -> None:
    wait_look_and_choice = 2 + 5 + 2
    creates = 4 * 5
    one = rounds(Policy().delay, Policy().create_timeout) * wait_look_and_choice + creates
    assert MAX_MACHINES * one < 25_000


def test_the_longest_release_of_the_largest_request_stays_below_the_limit_of_25000_events() -> None:
    delete_wait_look_and_choice = 5 + 2 + 5 + 2
    one = rounds(Policy().release_delay, Policy().release_timeout) * delete_wait_look_and_choice
    assert MAX_MACHINES * one < 25_000


def rounds(delay: Callable[[timedelta], int], seconds: float) -> int:
    waited, count = 0, 0
    while waited <= seconds:
        waited += delay(timedelta(seconds=waited))
        count += 1
    return count


def test_the_environment_sets_it_and_the_defaults_fill_in() -> None:
    policy = Policy.from_environment({"SKYSAGA_CREATE_TIMEOUT": "90.5", "SKYSAGA_MIN_DELAY": "0", "OTHER": "x"})
    assert (policy.create_timeout, policy.min_delay, policy.max_delay) == (90.5, 0, Policy().max_delay)


@pytest.mark.parametrize(("name", "value"), [("CREATE_TIMEOUT", "0"), ("MAX_DELAY", "0"), ("MIN_DELAY", "soon")])
def test_a_policy_that_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Policy.from_environment({f"SKYSAGA_{name}": value})
