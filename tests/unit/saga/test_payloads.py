"""What the state machines send about whole sagas, and how an error that they caught is put into words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.saga.payloads import PAYLOAD, Begin, CaughtError, Conclude, Decide, Fail, Fence


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"step": "begin", "saga_id": "s1"}, Begin),
        ({"step": "decide", "saga_id": "s1", "wave": 0}, Decide),
        ({"step": "fence", "saga_id": "s1", "reason": "COMPENSATE"}, Fence),
        ({"step": "conclude", "saga_id": "s1", "wave": -1}, Conclude),
        ({"step": "fail", "saga_id": "s1", "resource_id": "a", "error": {"Error": "E", "Cause": ""}}, Fail),
        ({"step": "stick", "saga_id": "s1", "resource_id": "a", "error": {"Error": "E"}}, Fail),
    ],
)
def test_the_step_tells_payloads_apart(payload: dict[str, Any], kind: type) -> None:
    assert isinstance(PAYLOAD.validate_python(payload), kind)


@pytest.mark.parametrize(
    "payload",
    [
        {"saga_id": "s1"},
        {"step": "commit", "saga_id": "s1"},
        {"step": "begin"},
        {"step": "begin", "saga_id": "s1", "wave": 0},
        {"step": "decide", "saga_id": "s1"},
        {"step": "fence", "saga_id": "s1", "reason": "BOREDOM"},
        {"step": "fail", "saga_id": "s1", "resource_id": "a"},
    ],
)
def test_anything_else_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PAYLOAD.validate_python(payload)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            {
                "Error": "CapacityError",
                "Cause": json.dumps(
                    {
                        "errorMessage": "VcpuLimitExceeded: none left",
                        "errorType": "CapacityError",
                        "stackTrace": ["File secret.py"],
                    }
                ),
            },
            "CapacityError: VcpuLimitExceeded: none left",
        ),
        ({"Error": "States.Timeout"}, "States.Timeout"),
        ({"Error": "States.Timeout", "Cause": ""}, "States.Timeout"),
        ({"Error": "Lambda.Unknown", "Cause": "it went away"}, "Lambda.Unknown: it went away"),
        ({"Error": "E", "Cause": '["not", "an object"]'}, 'E: ["not", "an object"]'),
        ({"Error": "E", "Cause": '{"errorType": "E"}'}, "E"),
        ({"Error": "E", "Cause": '{"errorMessage": "two\\nlines"}'}, "E: two lines"),
    ],
)
def test_a_caught_error_is_put_into_one_line_without_its_traceback(error: dict[str, str], text: str) -> None:
    assert CaughtError.model_validate(error).text == text


def test_a_caught_error_is_cut_to_what_the_ledger_should_hold() -> None:
    assert len(CaughtError.model_validate({"Error": "E", "Cause": "x" * 100_000}).text) == 2000


@pytest.mark.parametrize("name", ["RetryableError", "CapacityError", "TerminalError"])
def test_what_a_step_raises_is_foreseen(name: str) -> None:
    assert not CaughtError(Error=name).unforeseen


@pytest.mark.parametrize("name", ["KeyError", "Runtime.ImportModuleError", "Sandbox.Timedout", "States.Timeout"])
def test_a_bug_a_crash_and_what_cannot_be_loaded_are_not(name: str) -> None:
    assert CaughtError(Error=name).unforeseen
