"""What the provisioning machine does, on every engine there is."""

from __future__ import annotations

import json
from unittest.mock import ANY

import pytest

from lambdas.core.steps.results import Next
from lambdas.saga.payloads import PAYLOAD, Fail
from tests.statemachines.conftest import Sagas
from tests.statemachines.engines import EngineUnderTest
from tests.statemachines.scripted_lambda import NO_SUCH_FUNCTION, Answer, FunctionError, Refusal, Result
from tests.statemachines.scripted_saga import ScriptedSaga, retryable, step, terminal

PASSES_BY_ITSELF = [
    retryable("throttled"),
    FunctionError("Runtime.ExitError", "the worker died"),
    FunctionError("Sandbox.Timedout", "the function took too long"),
    Refusal("TooManyRequestsException", 429),
    Refusal("ServiceException", 500),
]
STAYS = [
    terminal("not allowed"),
    FunctionError("CapacityError", "no room"),
    FunctionError("ZeroDivisionError", "a bug"),
    NO_SUCH_FUNCTION,
]


def name_of(answer: Answer) -> str:
    return getattr(answer, "name", "") or getattr(answer, "code", "")


def to_be_compensated(sagas: Sagas) -> ScriptedSaga:
    """A saga whose second resource cannot be created."""
    saga = sagas.of(["web-aws", "web-gcp"])
    saga.on("create web-gcp", terminal("quota exceeded"))
    saga.on("decide 0", saga.wave("COMPENSATE", 1))
    return saga


def test_one_wave_is_created_observed_and_committed(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])

    ended = sagas.provision(saga).end()

    assert saga.provisioning.calls == ["begin", "create web-aws", "observe web-aws", "decide 0"]
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == saga.wave("COMMITTED", 1).document


def test_functions_are_told_names_and_nothing_else(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])

    sagas.provision(saga).end()

    resource = {"saga_id": saga.id, "resource_id": "web-aws", "round_began": ANY}
    assert saga.provisioning.payloads == {
        "begin": [{"step": "begin", "saga_id": saga.id}],
        "create web-aws": [resource],
        "observe web-aws": [resource | {"goal": "READY"}],
        "decide 0": [{"step": "decide", "saga_id": saga.id, "wave": 0}],
    }


def test_a_wave_begins_when_the_one_before_it_is_decided(sagas: Sagas) -> None:
    saga = sagas.of(["data-aws", "data-gcp"], ["web-aws"], ["web-azure"])

    ended = sagas.provision(saga).end()

    assert saga.provisioning.by_join("decide") == [
        {"begin", "create data-aws", "observe data-aws", "create data-gcp", "observe data-gcp"},
        {"create web-aws", "observe web-aws"},
        {"create web-azure", "observe web-azure"},
    ]
    assert ended["status"] == "SUCCEEDED"


def test_a_resource_of_several_parts_is_created_part_by_part(sagas: Sagas) -> None:
    saga = sagas.of(["web-azure"])
    saga.on("observe web-azure", step(Next.CREATE), step(Next.CREATE), step(Next.DONE))

    sagas.provision(saga).end()

    assert saga.provisioning.about("web-azure") == ["create", "observe", "create", "observe", "create", "observe"]


def test_a_resource_is_looked_at_again_after_the_delay_it_asks_for(sagas: Sagas, engine: EngineUnderTest) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("create web-aws", step(Next.WAIT, delay=10))
    saga.on("observe web-aws", step(Next.WAIT, delay=25), step(Next.DONE))

    execution = sagas.provision(saga)
    execution.end()

    assert saga.provisioning.about("web-aws") == ["create", "observe", "observe"]
    (waited,) = execution.seconds_in("ProvisionWave")
    assert waited >= engine.shortest(10 + 25)


@pytest.mark.parametrize("step_name", ["create", "observe"])
def test_a_failure_is_recorded_with_its_error_and_cause(sagas: Sagas, step_name: str) -> None:
    saga = to_be_compensated(sagas)
    saga.on("create web-gcp", step(Next.WAIT))
    saga.on(f"{step_name} web-gcp", terminal("quota exceeded"))

    sagas.provision(saga).until_entered("CompensateSaga")

    (payload,) = saga.provisioning.payloads["fail web-gcp"]
    error = payload["error"]
    assert error["Error"] == "TerminalError"
    assert json.loads(error["Cause"])["errorMessage"] == "quota exceeded"
    understood = PAYLOAD.validate_python(dict(payload))
    assert isinstance(understood, Fail)
    assert understood.error.text == "TerminalError: quota exceeded"


def test_siblings_of_a_failed_resource_are_finished_before_the_decision(sagas: Sagas) -> None:
    saga = to_be_compensated(sagas)
    saga.on("observe web-aws", *[step(Next.WAIT, delay=1)] * 3, step(Next.DONE))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.about("web-aws") == ["create", "observe", "observe", "observe", "observe"]
    assert saga.provisioning.about("web-gcp") == ["create", "fail"]
    assert saga.provisioning.calls[-1] == "decide 0"


def test_no_wave_follows_one_that_is_to_be_compensated(sagas: Sagas) -> None:
    saga = sagas.of(["data-gcp"], ["web-gcp"])
    saga.on("create data-gcp", terminal("quota exceeded"))
    saga.on("decide 0", saga.wave("COMPENSATE", 1))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.about("web-gcp") == []


def test_the_decision_is_made_even_when_a_failure_cannot_be_recorded(sagas: Sagas) -> None:
    saga = to_be_compensated(sagas)
    saga.on("fail web-gcp", terminal("no ledger"))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.about("web-aws") == ["create", "observe"]
    assert saga.provisioning.calls[-1] == "decide 0"


def test_a_function_that_does_not_exist_fails_its_resource(sagas: Sagas) -> None:
    saga = to_be_compensated(sagas)
    saga.on("create web-gcp", NO_SUCH_FUNCTION)

    sagas.provision(saga).until_entered("CompensateSaga")

    (payload,) = saga.provisioning.payloads["fail web-gcp"]
    assert payload["error"]["Error"] == "Lambda.ResourceNotFoundException"


@pytest.mark.parametrize("answer", PASSES_BY_ITSELF, ids=name_of)
def test_whatever_passes_by_itself_is_asked_again_in_the_same_words(sagas: Sagas, answer: Answer) -> None:
    saga = to_be_compensated(sagas)
    in_the_end = {
        "begin": saga.wave("PROVISION", 0),
        "create web-aws": step(Next.WAIT),
        "observe web-aws": step(Next.DONE),
        "fail web-gcp": Result(None),
        "decide 0": saga.wave("COMPENSATE", 1),
    }
    for call, result in in_the_end.items():
        saga.on(call, answer, answer, result)

    sagas.provision(saga).until_entered("CompensateSaga")

    for call in in_the_end:
        first, second, third = saga.provisioning.payloads[call]
        assert first == second == third


def test_what_never_passes_is_given_up_after_eight_retries(sagas: Sagas) -> None:
    saga = to_be_compensated(sagas)
    saga.on("create web-gcp", retryable("throttled"))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.about("web-gcp") == ["create"] * 9 + ["fail"]
    assert saga.provisioning.payloads["fail web-gcp"][0]["error"]["Error"] == "RetryableError"


@pytest.mark.parametrize("answer", STAYS, ids=name_of)
def test_what_does_not_pass_is_not_asked_again(sagas: Sagas, answer: Answer) -> None:
    saga = sagas.of(["web-aws", "web-gcp"])
    for call in ("create web-gcp", "observe web-aws", "fail web-aws", "fail web-gcp", "decide 0"):
        saga.on(call, answer)

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.about("web-gcp") == ["create", "fail"]
    assert saga.provisioning.about("web-aws") == ["create", "observe", "fail"]
    assert saga.provisioning.calls.count("decide 0") == 1


@pytest.mark.parametrize("answer", STAYS, ids=name_of)
def test_a_saga_that_cannot_begin_asks_nothing_of_any_cloud(sagas: Sagas, answer: Answer) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("begin", answer)

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.calls == ["begin"]


def test_a_saga_that_was_cancelled_before_it_began_is_compensated_at_once(sagas: Sagas) -> None:
    saga = sagas.of(["web-aws"])
    saga.on("begin", saga.wave("COMPENSATE", 0))

    execution = sagas.provision(saga)
    execution.until_entered("CompensateSaga")

    assert execution.path()[:3] == ["BeginSaga", "AnythingToProvision", "CompensateSaga"]
    assert saga.provisioning.calls == ["begin"]
