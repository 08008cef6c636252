"""What the release machine does, on every engine there is."""

from __future__ import annotations

import json
from unittest.mock import ANY

import pytest

from lambdas.core.steps.results import Next
from lambdas.saga.payloads import PAYLOAD, Fail
from tests.statemachines.conftest import Sagas
from tests.statemachines.engines import EngineUnderTest
from tests.statemachines.scripted_lambda import Result
from tests.statemachines.scripted_saga import retryable, step, terminal


def test_waves_are_released_in_reverse(sagas: Sagas) -> None:
    saga = sagas.of(["data-aws", "data-gcp"], ["web-aws"], ["web-azure"])

    ended = sagas.release(saga).end()

    assert saga.release.by_join("conclude") == [
        {"fence", "delete web-azure", "confirm web-azure"},
        {"delete web-aws", "confirm web-aws"},
        {"delete data-aws", "confirm data-aws", "delete data-gcp", "confirm data-gcp"},
    ]
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == saga.wave("ROLLED_BACK", -1).document


def test_the_fence_is_the_first_and_the_conclusion_the_last_step(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])

    sagas.release(saga).end()

    assert saga.release.calls == ["fence", "delete web-aws", "confirm web-aws", "conclude 0"]


def test_functions_are_told_names_and_the_reason(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])

    sagas.release(saga, reason="DESTROY").end()

    resource = {"saga_id": saga.id, "resource_id": "web-aws", "round_began": ANY}
    assert saga.release.payloads == {
        "fence": [{"step": "fence", "saga_id": saga.id, "reason": "DESTROY"}],
        "delete web-aws": [resource],
        "confirm web-aws": [resource | {"goal": "ABSENT"}],
        "conclude 0": [{"step": "conclude", "saga_id": saga.id, "wave": 0}],
    }


def test_what_is_still_or_again_there_is_deleted_again(sagas: Sagas) -> None:
    saga = sagas.of(["web-azure"])
    saga.on("confirm web-azure", step(Next.DELETE), step(Next.WAIT), step(Next.DELETE), step(Next.DONE))

    sagas.release(saga).end()

    assert saga.release.about("web-azure") == ["delete", "confirm", "delete", "confirm", "confirm", "delete", "confirm"]


def test_absence_is_looked_at_again_after_the_delay_it_asks_for(sagas: Sagas, engine: EngineUnderTest) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("delete web-aws", step(Next.WAIT, delay=10))
    saga.on("confirm web-aws", step(Next.WAIT, delay=25), step(Next.DONE))

    execution = sagas.release(saga)
    execution.end()

    (waited,) = execution.seconds_in("ReleaseWave")
    assert waited >= engine.shortest(10 + 25)


@pytest.mark.parametrize("step_name", ["delete", "confirm"])
def test_a_stuck_resource_is_recorded_and_does_not_hold_up_the_others(sagas: Sagas, step_name: str) -> None:
    saga = sagas.of(["data-gcp"], ["web-aws", "web-gcp"])
    saga.on(f"{step_name} web-gcp", terminal("locked by its owner"))
    saga.on("confirm web-aws", *[step(Next.WAIT, delay=1)] * 3, step(Next.DONE))

    ended = sagas.release(saga).end()

    (payload,) = saga.release.payloads["stick web-gcp"]
    understood = PAYLOAD.validate_python(dict(payload))
    assert isinstance(understood, Fail)
    assert understood.error.text == "TerminalError: locked by its owner"
    assert saga.release.about("web-aws") == ["delete", "confirm", "confirm", "confirm", "confirm"]
    assert saga.release.about("data-gcp") == ["delete", "confirm"]
    assert ended["status"] == "SUCCEEDED"


def test_the_release_is_concluded_even_when_a_stuck_resource_cannot_be_recorded(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])
    saga.on("delete web-gcp", terminal("locked by its owner"))
    saga.on("stick web-gcp", terminal("no ledger"))

    ended = sagas.release(saga).end()

    assert saga.release.about("web-aws") == ["delete", "confirm"]
    assert saga.release.calls[-1] == "conclude 0"
    assert ended["status"] == "SUCCEEDED"


def test_every_step_is_retried_in_the_same_words_when_it_fails_in_passing(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])
    saga.on("delete web-gcp", terminal("locked by its owner"))
    in_the_end = {
        "fence": saga.wave("RELEASE", 0),
        "delete web-aws": step(Next.WAIT),
        "confirm web-aws": step(Next.DONE),
        "stick web-gcp": Result(None),
        "conclude 0": saga.wave("NEEDS_ATTENTION", -1),
    }
    for call, result in in_the_end.items():
        saga.on(call, retryable("throttled"), retryable("throttled"), result)

    ended = sagas.release(saga).end()

    for call in in_the_end:
        first, second, third = saga.release.payloads[call]
        assert first == second == third
    assert ended["status"] == "SUCCEEDED"


@pytest.mark.parametrize("call", ["fence", "conclude 0"])
def test_a_release_that_cannot_be_fenced_or_concluded_fails_for_the_rescue_rule_to_see(sagas: Sagas, call: str) -> None:
    saga = sagas.of(["web-aws"])
    saga.on(call, terminal("no ledger"))

    ended = sagas.release(saga).end()

    assert ended["status"] == "FAILED"
    assert ended["error"] == "SagaNotReleased"
    assert "start the release machine again" in ended["cause"]


def test_nothing_is_deleted_before_the_fence_stands(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("fence", terminal("no ledger"))

    sagas.release(saga).end()

    assert saga.release.calls == ["fence"]


def test_a_saga_that_committed_after_all_is_left_alone(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("fence", saga.wave("COMMITTED", -1))
    saga.on("conclude -1", saga.wave("COMMITTED", -1))

    ended = sagas.release(saga, reason="COMPENSATE").end()

    assert saga.release.calls == ["fence", "conclude -1"]
    assert ended["status"] == "SUCCEEDED"
