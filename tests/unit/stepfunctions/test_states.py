"""What each type of state does with its data, on the whole engine."""

from typing import Any

import pytest

from local.stepfunctions.harness import Harness, VirtualTime
from tests.unit.stepfunctions.machines import chain, task

PASS = {"Type": "Pass"}


def test_input_path_parameters_result_path_and_output_path_apply_in_order(stepfunctions: Harness) -> None:
    state = {
        "Type": "Pass",
        "InputPath": "$.in",
        "Parameters": {"doubled.$": "States.MathAdd($.n, $.n)", "fixed": 1},
        "ResultPath": "$.out",
        "OutputPath": "$.out",
    }
    run = stepfunctions.run(chain(A=state), {"in": {"n": 2}})
    assert run.output == {"doubled": 4, "fixed": 1}


def test_a_null_input_path_selects_an_empty_object_and_a_null_result_path_keeps_the_input(
    stepfunctions: Harness,
) -> None:
    assert stepfunctions.run(chain(A={**PASS, "InputPath": None}), {"a": 1}).output == {}
    assert stepfunctions.run(chain(A={**PASS, "Result": 5, "ResultPath": None}), {"a": 1}).output == {"a": 1}


def test_a_result_selector_reshapes_a_tasks_result(stepfunctions: Harness) -> None:
    stepfunctions.function("f", lambda event: {"id": 7, "rest": "x"})
    run = stepfunctions.run(chain(A=task("f", ResultSelector={"only.$": "$.id"}, ResultPath="$.got")), {"a": 1})
    assert run.output == {"a": 1, "got": {"only": 7}}


def test_the_context_object_tells_execution_state_and_machine(stepfunctions: Harness) -> None:
    state = {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Name", "state.$": "$$.State.Name"}}
    assert stepfunctions.run(chain(Here=state), name="mine").output == {"id": "mine", "state": "Here"}


def test_variables_are_assigned_on_leaving_and_seen_by_later_states(stepfunctions: Harness) -> None:
    first = {"Type": "Pass", "Assign": {"kept.$": "$.n", "list": [1]}, "Result": {"n": 3}}
    run = stepfunctions.run(chain(A=first, B={"Type": "Pass", "Parameters": {"v.$": "$kept", "w.$": "$list[0]"}}))
    assert run.output == {"v": 3, "w": 1}


def test_a_wait_takes_virtual_time_and_no_other(stepfunctions: Harness, clock: VirtualTime) -> None:
    run = stepfunctions.start(chain(W={"Type": "Wait", "SecondsPath": "$.s"}), {"s": 3600})
    clock.advance(minutes=59, seconds=59)
    assert run.status == "RUNNING"
    clock.advance(seconds=1)
    assert (run.status, run.seconds) == ("SUCCEEDED", 3600)


def test_a_wait_until_a_moment_in_the_past_is_over_at_once(stepfunctions: Harness) -> None:
    run = stepfunctions.start(chain(W={"Type": "Wait", "Timestamp": "2001-01-01T00:00:00Z"}))
    assert (run.status, run.seconds) == ("SUCCEEDED", 0)


def choice(*rules: dict[str, Any], default: str | None = None) -> dict[str, Any]:
    state = {"Type": "Choice", "Choices": list(rules), **({"Default": default} if default else {})}
    return {"StartAt": "C", "States": {"C": state, "Yes": {"Type": "Succeed"}, "No": {"Type": "Fail", "Error": "No"}}}


def test_a_choice_takes_the_first_rule_that_holds_and_else_its_default(stepfunctions: Harness) -> None:
    machine = choice({"Variable": "$.n", "NumericGreaterThan": 1, "Next": "Yes"}, default="No")
    stepfunctions.run(machine, {"n": 2}).assert_path("C", "Yes")
    run = stepfunctions.run(machine, {"n": 0})
    run.assert_path("C", "No")
    assert run.error == "No"


def test_a_choice_without_a_match_or_a_default_fails(stepfunctions: Harness) -> None:
    machine = choice(
        {"Variable": "$.n", "NumericEquals": 1, "Next": "Yes"}, {"Variable": "$.n", "NumericEquals": 2, "Next": "No"}
    )
    assert stepfunctions.run(machine, {"n": 0}).error == "States.NoChoiceMatched"


def test_a_path_that_leads_nowhere_fails_the_execution_as_aws_words_it(stepfunctions: Harness) -> None:
    run = stepfunctions.run(chain(A={"Type": "Pass", "Parameters": {"v.$": "$.none"}}), {"a": 1})
    assert run.error == "States.Runtime"
    assert run.cause == (
        "An error occurred while executing the state 'A' (entered at the event id #2). The JSONPath '$.none' specified "
        "for the field 'v.$' could not be found in the input '{\"a\":1}'"
    )


def test_a_payload_over_256_kib_fails_the_execution(stepfunctions: Harness) -> None:
    run = stepfunctions.run(
        chain(A={"Type": "Pass", "Parameters": {"v.$": "States.Array($.t, $.t)"}}), {"t": "x" * 140_000}
    )
    assert run.error == "States.DataLimitExceeded"


@pytest.mark.parametrize("state", [PASS, {"Type": "Wait", "Seconds": 60}, task("f")])
def test_an_endless_loop_ends_at_25000_events(stepfunctions: Harness, state: dict[str, Any]) -> None:
    stepfunctions.function("f", lambda event: event)
    loop = {"StartAt": "A", "States": {"A": {**state, "Next": "B"}, "B": {**state, "Next": "A"}}}
    run = stepfunctions.run(loop)
    assert (run.status, run.error, len(run.execution.history.events)) == ("FAILED", "States.Runtime", 25_000)


def test_an_execution_that_takes_too_long_times_out_and_no_catch_sees_it(
    stepfunctions: Harness, clock: VirtualTime
) -> None:
    machine = {**chain(W={"Type": "Wait", "Seconds": 100}), "TimeoutSeconds": 10}
    run = stepfunctions.start(machine)
    clock.advance(seconds=10)
    assert (run.status, run.error) == ("TIMED_OUT", None)
    assert run.history[-1]["type"] == "ExecutionTimedOut"


@pytest.mark.parametrize("fields", [{"Error": "E", "Cause": "C"}, {"ErrorPath": "$.e", "CausePath": "$.c"}])
def test_a_fail_state_names_error_and_cause_or_finds_them(stepfunctions: Harness, fields: dict[str, Any]) -> None:
    run = stepfunctions.run(chain(F={"Type": "Fail", **fields}), {"e": "E", "c": "C"})
    assert (run.status, run.error, run.cause) == ("FAILED", "E", "C")


def test_jsonata_states_compute_arguments_output_and_variables(stepfunctions: Harness) -> None:
    stepfunctions.function("add", lambda event: event["a"] + event["b"])
    machine = chain(
        A={"Type": "Pass", "Assign": {"factor": 10}, "Output": {"n": "{% $states.input.n + 1 %}"}},
        B=task("add", Arguments={"a": "{% $states.input.n %}", "b": 1}, Output="{% $states.result * $factor %}"),
    )
    assert stepfunctions.run({**machine, "QueryLanguage": "JSONata"}, {"n": 1}).output == 30


def test_a_jsonata_expression_that_yields_nothing_fails_with_its_place(stepfunctions: Harness) -> None:
    machine = {**chain(A={"Type": "Pass", "Output": {"v": "{% $nothing %}"}}), "QueryLanguage": "JSONata"}
    run = stepfunctions.run(machine)
    assert run.error == "States.QueryEvaluationError"
    assert run.events("EvaluationFailed")[0]["evaluationFailedEventDetails"]["location"] == "Output/v"
