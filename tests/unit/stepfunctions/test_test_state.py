"""TestState: one state on its own, its task mocked or called, its data looked at."""

import json
from typing import Any

import pytest

from local.clock import VirtualClock
from local.stepfunctions import ApiError, Engine, LambdaResult

ROLE = "arn:aws:iam::123456789012:role/r"
INVOKE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "f", "Payload.$": "$"},
    "ResultSelector": {"v.$": "$.Payload"},
    "ResultPath": "$.got",
    "Next": "After",
}


def ask(definition: dict[str, Any], **request: Any) -> dict[str, Any]:
    engine = Engine(clock=VirtualClock(), lambda_invoke=lambda name, payload: LambdaResult(payload))
    return engine.api.answer("TestState", {"definition": json.dumps(definition), **request}, engine)


def refused(definition: dict[str, Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        ask(definition, **request)
    return caught.value.code, caught.value.message


def mocked(result: Any) -> dict[str, str]:
    return {"result": json.dumps(result)}


def test_a_mocked_task_shows_its_data_between_the_fields() -> None:
    answer = ask(INVOKE, input='{"n": 1}', inspectionLevel="DEBUG", mock=mocked({"Payload": 7}))
    seen = {name: json.loads(text) for name, text in answer["inspectionData"].items()}
    assert (answer["status"], answer["nextState"]) == ("SUCCEEDED", "After")
    assert json.loads(answer["output"]) == {"n": 1, "got": {"v": 7}}
    assert seen == {
        "input": {"n": 1},
        "afterInputPath": {"n": 1},
        "afterParameters": {"FunctionName": "f", "Payload": {"n": 1}},
        "result": {"Payload": 7},
        "afterResultSelector": {"v": 7},
        "afterResultPath": {"n": 1, "got": {"v": 7}},
    }


def test_the_level_info_shows_nothing_but_the_outcome() -> None:
    assert "inspectionData" not in ask(INVOKE, input="{}", mock=mocked({"Payload": 1}))


def test_a_task_that_is_not_mocked_is_called_with_a_role() -> None:
    answer = ask(INVOKE, input='{"n": 1}', roleArn=ROLE)
    assert json.loads(answer["output"])["got"] == {"v": {"n": 1}}
    assert refused(INVOKE, input="{}") == ("ValidationException", "RoleArn must be specified when testing a Task state")


def test_a_mocked_error_is_retriable_while_attempts_are_left_and_then_caught() -> None:
    state = {
        **INVOKE,
        "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
    }
    mock = {"errorOutput": {"error": "E", "cause": "c"}}
    retriable = ask(state, input="{}", mock=mock, inspectionLevel="DEBUG", stateConfiguration={"retrierRetryCount": 1})
    caught = ask(state, input="{}", mock=mock, inspectionLevel="DEBUG", stateConfiguration={"retrierRetryCount": 2})
    assert retriable["status"] == "RETRIABLE"
    assert retriable["inspectionData"]["errorDetails"] == {"retryIndex": 0, "retryBackoffIntervalSeconds": 4}
    assert (caught["status"], caught["nextState"]) == ("CAUGHT_ERROR", "Caught")
    assert json.loads(caught["output"]) == {"Error": "E", "Cause": "c"}


@pytest.mark.parametrize(
    ("mode", "result", "message"),
    [
        ("STRICT", {"StatusCode": "200"}, "Field 'StatusCode' must be a number"),
        ("PRESENT", {"StatusCode": "200"}, "Field 'StatusCode' must be a number"),
    ],
)
def test_a_mocked_result_must_look_like_the_services_own(mode: str, result: Any, message: str) -> None:
    mock = {**mocked(result), "fieldValidationMode": mode}
    assert refused(INVOKE, input="{}", mock=mock)[1] == f"Mock result schema validation error: {message}"


def test_the_mode_none_takes_any_mocked_result() -> None:
    state = {key: value for key, value in INVOKE.items() if key != "ResultSelector"}
    mock = {**mocked({"StatusCode": "200"}), "fieldValidationMode": "NONE"}
    assert ask(state, input="{}", mock=mock)["status"] == "SUCCEEDED"


def test_a_given_context_object_is_used_as_it_is() -> None:
    state = {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"}, "End": True}
    assert json.loads(ask(state, input="{}", context='{"Execution": {"Id": "mine"}}')["output"]) == {"id": "mine"}
    assert refused(state, input="{}", context='{"Execution": {"Foo": 1}}')[1] == (
        "Invalid Context object provided: Field 'Foo' is not allowed"
    )


def test_a_state_inside_a_machine_is_found_by_name() -> None:
    inner = {"StartAt": "In", "States": {"In": {"Type": "Pass", "Result": 5, "End": True}}}
    machine = {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [inner], "End": True}}}
    assert ask(machine, stateName="In", input="{}")["output"] == "5"
    assert refused(machine, stateName="Out", input="{}") == ("ValidationException", "State not found in definition")


def test_a_map_needs_a_mock_and_respects_what_it_tolerates() -> None:
    processor = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "ItemProcessor": processor, "ToleratedFailureCount": 1, "End": True}
    mock = mocked([1, 2])
    assert refused(state, input="[1, 2]")[0] == "InvalidDefinition"
    within = ask(state, input="[1, 2]", mock=mock, stateConfiguration={"mapIterationFailureCount": 1})
    over = ask(state, input="[1, 2]", mock=mock, stateConfiguration={"mapIterationFailureCount": 2})
    assert (within["status"], over["error"]) == ("SUCCEEDED", "States.ExceedToleratedFailureThreshold")
