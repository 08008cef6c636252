"""What holds for every state of all state machines, whatever they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from lambdas.adapters.collecting import LIMIT
from lambdas.core.steps.collecting import HELD, CollectionStatus
from lambdas.core.steps.results import Next
from lambdas.core.steps.summarising import SummaryStatus

FUNCTION_TIMEOUT: Final = 30
LAMBDA: Final = "arn:aws:states:::lambda:invoke"
FILES: Final = sorted((Path(__file__).parents[3] / "statemachines").glob("*.asl.json"))


class State(NamedTuple):
    name: str
    definition: dict[str, Any]
    siblings: dict[str, Any]

    def __str__(self) -> str:
        return self.name


def states_of(machine: dict[str, Any]) -> Iterator[State]:
    for name, state in machine["States"].items():
        yield State(name, state, machine["States"])
        for inner in [*state.get("Branches", ()), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]:
            yield from states_of(inner)


MACHINES: Final = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in FILES}
STATES: Final = [state for machine in MACHINES.values() for state in states_of(machine)]
TASKS: Final = [state for state in STATES if state.definition["Type"] == "Task"]
STEPS: Final = [state for state in TASKS if state.definition["Resource"] == LAMBDA]
SWEEPING: Final = ("LookAtLedger", "DecideReleases")
"""What these hand on is a bounded list of identifiers."""
BILLING: Final = {state.name for state in states_of(MACHINES["billing"])}


def test_there_are_four_machines() -> None:
    assert sorted(MACHINES) == ["billing", "provisioning", "release", "sweep"]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_state_says_why_it_is_there(state: State) -> None:
    assert len(state.definition["Comment"]) > 20


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_has_a_name_of_its_own_in_its_machine(name: str) -> None:
    names = [state.name for state in states_of(MACHINES[name])]
    assert len(names) == len(set(names))


EXPRESS: Final = [
    state
    for state in STATES
    if state.definition.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS"
]


@pytest.mark.parametrize("batches", EXPRESS, ids=str)
def test_what_dies_in_an_express_execution_takes_nothing_else_with_it(batches: State) -> None:
    assert batches.definition["ToleratedFailurePercentage"] == 100
    inside = list(states_of(batches.definition["ItemProcessor"]))
    assert not [state.name for state in inside if ".waitForTaskToken" in state.definition.get("Resource", "")]


@pytest.mark.parametrize("name", ["CreateResource", "ObserveResource", "DeleteResource", "ObserveAbsence"])
def test_what_waits_in_an_express_execution_knows_when_that_began(name: str) -> None:
    (step,) = [
        state for batches in EXPRESS for state in states_of(batches.definition["ItemProcessor"]) if state.name == name
    ]
    assert step.definition["Parameters"]["Payload"]["round_began.$"] == "$$.Execution.StartTime"


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_states_its_time_budget_and_keeps_it(name: str) -> None:
    assert "Time budget" in MACHINES[name]["Comment"]
    assert 0 < MACHINES[name]["TimeoutSeconds"] < 365 * 86400


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_task_waits_longer_than_its_function_may_run(task: State) -> None:
    waits_for_somebody = task.definition.get("TimeoutSecondsPath") == "$.approval_seconds"
    assert waits_for_somebody or task.definition["TimeoutSeconds"] > FUNCTION_TIMEOUT


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_task_ends_in_a_catch_of_everything_that_keeps_its_input(task: State) -> None:
    *_, last = task.definition["Catch"]
    assert last["ErrorEquals"] == ["States.ALL"]
    assert last["ResultPath"] == "$.error"


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_every_step_is_retried_by_the_same_rule_but_how_often(step: State) -> None:
    (rule,), (first,) = step.definition["Retry"], STEPS[0].definition["Retry"]
    own = {"Comment", "MaxAttempts", "MaxDelaySeconds"}
    assert {key: rule[key] for key in rule.keys() - own} == {key: first[key] for key in first.keys() - own}


PATIENCE: Final = {
    "FenceSaga": (480, 30),  # hours: nobody would take up a destroy that gave up in front of its fence
    "ConcludeRelease": (480, 30),
    "ReleaseMachine": (32, 300),  # about an hour, a release's own deadline, in few events
    "ObserveMachineAbsence": (32, 300),
}


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_only_a_release_keeps_trying_for_long(step: State) -> None:
    (rule,) = step.definition["Retry"]
    assert (rule["MaxAttempts"], rule["MaxDelaySeconds"]) == PATIENCE.get(step.name, (8, 30))


def test_the_rule_backs_off_with_full_jitter_and_an_upper_bound() -> None:
    (rule,) = STEPS[0].definition["Retry"]
    assert (rule["JitterStrategy"], rule["BackoffRate"], rule["MaxDelaySeconds"]) == ("FULL", 2, 30)
    assert {"RetryableError", "Lambda.TooManyRequestsException", "States.Timeout"} <= set(rule["ErrorEquals"])


@pytest.mark.parametrize("name", ["CapacityError", "TerminalError", "States.ALL", "States.TaskFailed"])
def test_what_retrying_cannot_mend_is_not_retried(name: str) -> None:
    assert all(name not in rule["ErrorEquals"] for step in STEPS for rule in step.definition["Retry"])


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_way_out_leads_to_a_state_beside_it(state: State) -> None:
    definition = state.definition
    ways = [definition.get("Next"), definition.get("Default")]
    ways += [way["Next"] for way in [*definition.get("Catch", ()), *definition.get("Choices", ())]]
    named = [way for way in ways if way is not None]
    assert named or definition.get("End") or definition["Type"] in ("Succeed", "Fail")
    assert set(named) <= set(state.siblings)


@pytest.mark.parametrize("within", [state for state in STATES if state.definition["Type"] == "Map"], ids=str)
def test_no_iteration_of_a_map_can_fail_so_that_no_sibling_is_aborted(within: State) -> None:
    inside = list(states_of(within.definition["ItemProcessor"]))
    assert not [state.name for state in inside if state.definition["Type"] == "Fail"]
    assert all("Catch" in state.definition for state in inside if state.definition["Type"] == "Task")


@pytest.mark.parametrize(
    ("choice", "answers"),
    [
        *((name, Next) for name in ("IsReady", "IsMachineReady", "IsAbsent", "IsMachineAbsent")),
        ("WhatWasCollected", CollectionStatus),
        ("IsSummarised", SummaryStatus),
    ],
)
def test_choices_know_only_what_steps_answer(choice: str, answers: type[StrEnum]) -> None:
    (state,) = [state for state in STATES if state.name == choice]
    asked = {rule["StringEquals"] for rule in state.definition["Choices"]}
    assert asked < {str(answer) for answer in answers}


@pytest.mark.parametrize("state", STATES, ids=str)
def test_definitions_keep_to_the_dialect_that_every_engine_runs(state: State) -> None:
    definition = state.definition
    assert not {"Assign", "Arguments", "Output", "QueryLanguage", "Condition"} & set(definition)


@pytest.mark.parametrize("step", [step for step in STEPS if step.name not in {*SWEEPING, *BILLING}], ids=str)
def test_payloads_carry_identifiers_only(step: State) -> None:
    payload = step.definition["Parameters"]["Payload"]
    allowed = {
        "step",
        "saga_id.$",
        "resource_id.$",
        "cloud.$",
        "wave.$",
        "batch.$",
        "again.$",
        "reason.$",
        "error.$",
        "goal",
        "round_began.$",
    }
    assert set(payload) <= allowed | {"target.$", "most.$"}


@pytest.mark.parametrize("step", [step for step in STEPS if step.name in BILLING], ids=str)
def test_payloads_of_billing_carry_names_and_errors_only(step: State) -> None:
    assert set(step.definition["Parameters"]["Payload"]) <= {"step", "window.$", "source.$", "error.$", "cause.$"}


def test_a_source_is_read_for_as_long_as_its_collectors_think_and_published_before_the_machine_gives_up() -> None:
    (collect,) = [state.definition for state in TASKS if state.name == "CollectCosts"]
    (publish,) = [state.definition for state in TASKS if state.name == "PublishWindows"]
    assert collect["TimeoutSeconds"] == LIMIT.total_seconds()
    assert collect["HeartbeatSeconds"] < HELD.total_seconds()
    assert collect["TimeoutSeconds"] + publish["TimeoutSeconds"] < MACHINES["billing"]["TimeoutSeconds"]
