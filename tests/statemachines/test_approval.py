"""What the provisioning machine does about a saga that wants approval, on every engine there is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lambdas.saga.payloads import PAYLOAD, Lapse
from tests.statemachines.conftest import Sagas
from tests.statemachines.engines import EngineUnderTest
from tests.statemachines.scripted_lambda import FunctionError
from tests.statemachines.scripted_saga import ScriptedSaga, retryable, terminal

LONG = 3600
SHORT = 2
"""Seconds; on some engines they really pass."""


def waking(engine: EngineUnderTest) -> Callable[[str], object]:
    """Somebody who answers at once."""
    return lambda token: engine.client.send_task_success(taskToken=token, output="{}")


def to_be_approved(sagas: Sagas, seconds: int = LONG) -> ScriptedSaga:
    """A saga of one resource that wants approval before the commit."""
    saga = sagas.of(["web-aws"])
    saga.on("decide 0", saga.to_be_approved(0, seconds), saga.wave("COMMITTED", 1))
    return saga


def test_before_provisioning_the_first_wave_waits_for_the_token(sagas: Sagas, engine: EngineUnderTest) -> None:
    saga = sagas.of(["web-aws"])
    saga.approver = waking(engine)
    saga.on("begin", saga.to_be_approved(-1, LONG))

    ended = sagas.provision(saga).end()

    assert saga.provisioning.calls == ["begin", "ask", "decide -1", "create web-aws", "observe web-aws", "decide 0"]
    assert json.loads(ended["output"]) == saga.wave("COMMITTED", 1).document


def test_before_the_commit_the_decision_is_made_again_when_the_token_has_come(
    sagas: Sagas, engine: EngineUnderTest
) -> None:
    saga = to_be_approved(sagas)
    saga.approver = waking(engine)

    ended = sagas.provision(saga).end()

    assert saga.provisioning.calls == ["begin", "create web-aws", "observe web-aws", "decide 0", "ask", "decide 0"]
    assert ended["status"] == "SUCCEEDED"


def test_what_nobody_answers_in_time_lapses_before_the_decision_is_made_again(sagas: Sagas) -> None:
    saga = to_be_approved(sagas, SHORT)
    saga.on("decide 0", saga.to_be_approved(0, SHORT), saga.wave("COMPENSATE", 1))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.calls[-3:] == ["ask", "lapse", "decide 0"]
    (payload,) = saga.provisioning.payloads["lapse"]
    understood = PAYLOAD.validate_python(dict(payload))
    assert isinstance(understood, Lapse)
    assert understood.error.text == "States.Timeout"


@pytest.mark.parametrize("answer", [retryable("throttled"), FunctionError("Runtime.ExitError", "the worker died")])
def test_an_asking_that_fails_in_passing_is_made_again(
    sagas: Sagas, engine: EngineUnderTest, answer: FunctionError
) -> None:
    saga = to_be_approved(sagas)
    wake, heard = waking(engine), list[str]()

    def hear(token: str) -> None:
        heard.append(token)
        if len(heard) == 2:
            wake(token)

    saga.approver = hear
    saga.on("ask", answer, saga.wave("", 0))

    ended = sagas.provision(saga).end()

    assert len(heard) == 2
    assert ended["status"] == "SUCCEEDED"


def test_an_asking_that_fails_for_good_lapses(sagas: Sagas) -> None:
    saga = to_be_approved(sagas)
    saga.on("decide 0", saga.to_be_approved(0, LONG), saga.wave("COMPENSATE", 1))
    saga.on("ask", terminal("NothingToApprove: it was cancelled"))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.calls[-3:] == ["ask", "lapse", "decide 0"]


def test_a_lapse_that_cannot_be_recorded_compensates_all_the_same(sagas: Sagas) -> None:
    saga = to_be_approved(sagas, SHORT)
    saga.on("lapse", terminal("AccessDenied: no"))

    sagas.provision(saga).until_entered("CompensateSaga")

    assert saga.provisioning.calls[-2:] == ["ask", "lapse"]
