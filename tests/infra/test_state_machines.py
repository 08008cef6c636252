"""The state machines: their definitions, versions and logs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.packaging.bundles import ROOT
from tests.infra.template import Template, text

MACHINES = {
    "skysaga-billing": "billing",
    "skysaga-provisioning": "saga",
    "skysaga-release": "saga",
    "skysaga-sweep": "guard",
}
OF_SAGAS = [machine for machine, stack in MACHINES.items() if stack == "saga"]


@pytest.fixture
def stack(machine: str, request: pytest.FixtureRequest) -> Template:
    """The stack that a machine belongs to."""
    found: Template = request.getfixturevalue(MACHINES[machine])
    return found


def definition_file(machine: str) -> str:
    return (ROOT / "statemachines" / f"{machine.removeprefix('skysaga-')}.asl.json").read_text()


def logical_id(stack: Template, machine: str) -> str:
    machines = stack.resources("AWS::StepFunctions::StateMachine")
    return next(name for name, it in machines.items() if it["Properties"]["StateMachineName"] == machine)


def version_of(stack: Template, machine: str) -> tuple[str, dict[str, Any]]:
    arn = {"Fn::GetAtt": [logical_id(stack, machine), "Arn"]}
    versions = stack.resources("AWS::StepFunctions::StateMachineVersion")
    return next((name, it) for name, it in versions.items() if it["Properties"]["StateMachineArn"] == arn)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_definition_is_its_file_to_the_letter(stack: Template, machine: str) -> None:
    deployed = stack.machines()[machine]

    assert deployed["StateMachineType"] == "STANDARD"
    assert json.loads(text(deployed["DefinitionString"])) == json.loads(definition_file(machine))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_placeholder_is_filled_and_nothing_is_given_in_vain(stack: Template, machine: str) -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", definition_file(machine)))

    assert set(stack.machines()[machine]["DefinitionSubstitutions"]) == placeholders


@pytest.mark.parametrize("machine", OF_SAGAS)
def test_the_saga_steps_are_called_by_their_published_version(saga: Template, machine: str) -> None:
    version = saga.machines()[machine]["DefinitionSubstitutions"]["SagaFunction"]["Ref"]

    assert saga.function_of(version) == "skysaga-saga"


def test_provisioning_calls_the_version_of_release_that_it_was_deployed_with(saga: Template) -> None:
    release, _ = version_of(saga, "skysaga-release")
    substitutions = saga.machines()["skysaga-provisioning"]["DefinitionSubstitutions"]

    assert substitutions["ReleaseStateMachine"] == {"Fn::GetAtt": [release, "Arn"]}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_change_publishes_a_version_and_the_older_one_is_kept(stack: Template, machine: str) -> None:
    _, version = version_of(stack, machine)

    revision = version["Properties"]["StateMachineRevisionId"]
    assert revision == {"Fn::GetAtt": [logical_id(stack, machine), "StateMachineRevisionId"]}
    assert version["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("machine", MACHINES)
def test_the_alias_live_moves_to_the_published_version(stack: Template, machine: str) -> None:
    version, _ = version_of(stack, machine)
    aliases = stack.properties("AWS::StepFunctions::StateMachineAlias")

    targets = [it["DeploymentPreference"]["StateMachineVersionArn"] for it in aliases]
    assert {"Fn::GetAtt": [version, "Arn"]} in targets
    assert {it["Name"] for it in aliases} == {"live"}


@pytest.mark.parametrize("machine", MACHINES)
def test_errors_are_logged_without_data_and_executions_are_traced(stack: Template, machine: str) -> None:
    deployed = stack.machines()[machine]
    logging = deployed["LoggingConfiguration"]

    assert logging["Level"] == "ERROR"
    assert logging.get("IncludeExecutionData", False) is False
    (destination,) = logging["Destinations"]
    group = stack.resources("AWS::Logs::LogGroup")[
        destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]
    ]
    assert group["Properties"]["LogGroupName"] == f"/aws/vendedlogs/states/{machine}"
    assert deployed["TracingConfiguration"] == {"Enabled": True}


def test_the_outputs_name_what_to_start(saga: Template) -> None:
    aliases = [{"Fn::GetAtt": [name, "Arn"]} for name in saga.resources("AWS::StepFunctions::StateMachineAlias")]

    named = [saga.outputs[name]["Value"] for name in ("ProvisioningStateMachine", "ReleaseStateMachine")]
    assert sorted(map(text, named)) == sorted(map(text, aliases))
