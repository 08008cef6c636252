"""How the provisioning machine hands a saga over to the release machine, on every engine there is."""

from __future__ import annotations

import json

import pytest

from lambdas.core.steps.saga import ReleaseReason
from tests.statemachines.conftest import Sagas
from tests.statemachines.scripted_saga import ScriptedSaga, terminal


def decided_against(sagas: Sagas) -> ScriptedSaga:
    """A saga that is decided against after its first wave."""
    saga = sagas.of(["data-gcp"], ["web-gcp"])
    saga.on("decide 0", saga.wave("COMPENSATE", 1))
    return saga


def test_compensation_starts_the_release_machine_under_the_sagas_name(sagas: Sagas) -> None:
    saga = decided_against(sagas)
    execution = sagas.provision(saga)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == saga.wave("COMPENSATE", 1).document
    released = sagas.compensation_of(saga).end()

    assert released["name"] == f"{saga.id}-compensation"
    assert json.loads(released["input"]) == {
        "saga_id": saga.id,
        "reason": ReleaseReason.COMPENSATE,
        "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID": execution.arn,
    }
    assert released["status"] == "SUCCEEDED"
    assert saga.release.about("web-gcp") == saga.release.about("data-gcp") == ["delete", "confirm"]


@pytest.mark.parametrize("call", ["begin", "decide 0"])
def test_a_saga_that_cannot_begin_or_decide_is_compensated(sagas: Sagas, call: str) -> None:
    saga = sagas.of(["web-gcp"])
    saga.on(call, terminal("no ledger"))

    execution = sagas.provision(saga)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["error"]["Error"] == "TerminalError"
    assert execution.path()[-2:] == ["CompensateSaga", "SagaCompensating"]
    assert sagas.compensation_of(saga).end()["status"] == "SUCCEEDED"


def test_a_compensation_that_was_started_already_is_not_started_again(sagas: Sagas) -> None:
    saga = decided_against(sagas)
    sagas.release(saga, name="compensation", reason="COMPENSATE").end()

    execution = sagas.provision(saga)
    ended = execution.end()

    assert ended["status"] == "SUCCEEDED"
    assert execution.path()[-2:] == ["CompensateSaga", "SagaCompensating"]
    sagas.compensation_of(saga)
    assert saga.release.calls.count("fence") == 1
