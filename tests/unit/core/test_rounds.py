"""Rounds: how long one waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lambdas.core.steps.results import Next, StepResult
from lambdas.core.steps.rounds import ROUND, within_round

BEGAN = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATER: StepResult = {"next": Next.LATER, "delay": 0}


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def test_a_wait_that_ends_within_the_round_is_as_long_as_the_step_says() -> None:
    assert within_round({"next": Next.WAIT, "delay": 60}, BEGAN, after(100)) == {"next": Next.WAIT, "delay": 60}


def test_a_wait_is_cut_to_what_is_left_of_the_round_so_that_there_is_a_last_look() -> None:
    assert within_round({"next": Next.WAIT, "delay": 60}, BEGAN, after(220.5)) == {"next": Next.WAIT, "delay": 20}


@pytest.mark.parametrize("then", [Next.WAIT, Next.CREATE, Next.DELETE])
def test_nothing_begins_or_waits_once_the_round_is_over(then: Next) -> None:
    assert within_round({"next": then, "delay": 1}, BEGAN, BEGAN + ROUND) == LATER


def test_what_is_done_is_done_however_late() -> None:
    done: StepResult = {"next": Next.DONE, "delay": 0}
    assert within_round(done, BEGAN, after(10_000)) == done


def test_the_last_look_of_a_round_and_its_function_end_before_the_execution_has_to() -> None:
    assert ROUND + timedelta(seconds=45) < timedelta(minutes=5)
