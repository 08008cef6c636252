"""What is refused when a state machine is created, and where it says the fault is."""

import json
from typing import Any

import pytest

from local.stepfunctions.asl.validation import diagnose
from tests.unit.stepfunctions.machines import chain, task

PASS: dict[str, Any] = {"Type": "Pass"}


def problems(definition: Any, machine_type: str = "STANDARD") -> list[tuple[str, str]]:
    found = diagnose(json.dumps(definition), machine_type)
    return [(item.get("location", ""), item["message"]) for item in found]


def test_a_good_definition_has_no_diagnostics() -> None:
    assert problems(chain(A=PASS, B=task("f", Retry=[{"ErrorEquals": ["States.ALL"]}]))) == []


@pytest.mark.parametrize(
    ("definition", "location", "message"),
    [
        ({}, "/", "These fields are required: [States, StartAt]"),
        ({**chain(A=PASS), "Verson": "1.0"}, "/Verson", "Field is not supported"),
        (chain(A={**PASS, "Resultpath": "$.a"}), "/States/A/Resultpath", "Field is not supported"),
        (chain(A={**PASS, "Retry": []}), "/States/A/Retry", "Field is not supported"),
        (chain(A={"Type": "Loop"}), "/States/A/Type", "Value is not one of the known values: Loop"),
        ({**chain(A=PASS), "StartAt": "B"}, "/StartAt", "Missing 'StartAt' target: B"),
        (chain(A={**PASS, "Next": "C"}), "/States/A/Next", "Missing 'Next' target: C"),
        (chain(A={**PASS, "InputPath": "x"}), "/States/A/InputPath", "Value is not a valid JSONPath"),
        (chain(A={**PASS, "ResultPath": "$.a[*]"}), "/States/A/ResultPath", "Value is not a Reference Path"),
        (
            chain(A={**PASS, "Parameters": {"v.$": "oops"}}),
            "/States/A/Parameters",
            "The value for the field 'v.$' must be a valid JSONPath or a valid intrinsic function call",
        ),
        (
            chain(A=task("f", Retry=[{"ErrorEquals": ["E"], "MaxRetries": 3}])),
            "/States/A/Retry[0]/MaxRetries",
            "Field is not supported",
        ),
        (
            chain(A={"Type": "Wait", "Timestamp": "soon"}),
            "/States/A/Timestamp",
            "String does not match RFC3339 timestamp",
        ),
        (
            chain(A={"Type": "Parallel", "Branches": [chain(B={**PASS, "Foo": 1})]}),
            "/States/A/Branches[0]/States/B/Foo",
            "Field is not supported",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(definition: dict[str, Any], location: str, message: str) -> None:
    assert (location, message) in problems(definition)


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::glue:startJobRun",
        "arn:aws:states:::lambda:invoke.sync",
        "arn:aws:states:::aws-sdk:s3:nothing",
        "x",
    ],
)
def test_a_resource_that_is_not_supported_is_refused_by_name(resource: str) -> None:
    ((location, message),) = problems(chain(A={"Type": "Task", "Resource": resource}))
    assert location == "/States/A/Resource"
    assert resource in message


def test_express_machines_cannot_wait_for_callbacks() -> None:
    state = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "Parameters": {}}
    ((location, _),) = problems(chain(A=state), "EXPRESS")
    assert location == "/States/A/Resource"


def test_a_state_that_nothing_leads_to_is_refused() -> None:
    definition = chain(A=PASS)
    definition["States"]["Lost"] = {**PASS, "End": True}
    assert problems(definition) == [("/States/Lost", 'State "Lost" is not reachable.')]


def test_every_fault_is_reported_at_once() -> None:
    definition = chain(A={**PASS, "Foo": 1}, B={**PASS, "Bar": 2})
    assert {location for location, _ in problems(definition)} == {"/States/A/Foo", "/States/B/Bar"}


def test_jsonpath_cannot_be_chosen_inside_a_jsonata_machine() -> None:
    definition = {**chain(A={**PASS, "QueryLanguage": "JSONPath"}), "QueryLanguage": "JSONata"}
    ((location, _),) = problems(definition)
    assert location == "/States/A"


def test_an_inner_scope_cannot_assign_what_an_outer_one_does() -> None:
    inner = chain(B={**PASS, "Assign": {"x.$": "$"}})
    outer = chain(A={**PASS, "Assign": {"x": 1}}, P={"Type": "Parallel", "Branches": [inner]})
    ((location, message),) = problems(outer)
    assert location == "/States/P/Branches[0]/States/B/Assign"
    assert "'x'" in message
