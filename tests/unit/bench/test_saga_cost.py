"""From what was measured to what AWS bills."""

from __future__ import annotations

from typing import Any

import pytest

from bench.measured import Asked, Call, Request
from bench.prices import CHANGE_SECONDS, LOOK_SECONDS, VCPU_MB, Bill, Lambda, billed_seconds, express_megabytes
from bench.saga_cost import Typical, functions


def a_call(**known: Any) -> Call:
    usual: dict[str, Any] = {"at": 0.0, "function": "f", "step": "s", "memory": 256, "trace": "t", "text": ""}
    measured: dict[str, Any] = {"wall": 0.1, "processor": 0.02, "waiting": 0.05, "first": False, "starting": 0.5}
    return Call(**{**usual, **measured, **known})


def test_work_is_done_on_a_share_of_a_vcpu_and_waiting_is_not() -> None:
    assert billed_seconds(0.1, 0.0, VCPU_MB) == pytest.approx(0.1)
    assert billed_seconds(0.1, 0.0, 256) == pytest.approx(0.692)
    assert billed_seconds(0.0, 0.1, 256) == pytest.approx(0.1)
    assert billed_seconds(0.0, 0.0001, 256) == pytest.approx(0.001)


def test_an_express_execution_is_charged_by_chunks_of_memory() -> None:
    """The example of the pricing page: 50 KB of definition, 400 steps of a Map with 32 KB each."""
    assert express_megabytes("x" * 50 * 1024, 32 * 1024, 400) == 64
    assert express_megabytes("x" * 50 * 1024, 32 * 1024, 500) == 128


def test_the_first_call_of_a_process_is_billed_like_those_after_it() -> None:
    first, later = a_call(first=True, processor=0.4, waiting=9.0), a_call()
    typical = Typical([first, later])
    of_first, of_later = (functions(typical, [(1.0, it, [])]) for it in (first, later))
    assert of_first.gb_seconds == of_later.gb_seconds
    assert of_first.cold_gb_seconds == pytest.approx(0.25 * (0.5 + 0.4 - 0.02) * VCPU_MB / 256)


def test_each_request_to_a_cloud_takes_what_is_allowed_for_it() -> None:
    made = [Request("gcp", Asked.LOOK), Request("gcp", Asked.CHANGE), Request("dynamodb", Asked.OWN)]
    typical = Typical([a_call()])
    without, with_them = (functions(typical, [(1.0, a_call(), it)]) for it in ([], made))
    assert with_them.gb_seconds - without.gb_seconds == pytest.approx(0.25 * (LOOK_SECONDS + CHANGE_SECONDS))
    assert with_them.allowed == pytest.approx(0.25 * (LOOK_SECONDS + CHANGE_SECONDS))


def test_a_call_for_several_sagas_is_shared() -> None:
    whole, half = (functions(Typical([a_call()]), [(share, a_call(), [])]) for share in (1.0, 0.5))
    assert (half.calls, half.gb_seconds) == (0.5, whole.gb_seconds / 2)


def test_a_goal_is_reached_when_clouds_are_so_many_times_as_slow() -> None:
    def bill(times: float) -> Bill:
        of = Lambda(calls=1, gb_seconds=1 + times, allowed=times)
        return Bill(10, 0, 0.0, 0.0, of, 2, 0, 0, 0)

    assert bill(1).slower(bill(3).together) == pytest.approx(3)
