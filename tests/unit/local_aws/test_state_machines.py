"""State machines deployed into our own Step Functions engine, behind the same address as the account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.account import create_app
from local.clock import VirtualClock
from local.http_server import serve
from local.stepfunctions import Engine, LambdaResult
from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.step_functions import StepFunctions, beside

ROLE = "arn:aws:iam::123456789012:role/machine"


@pytest.fixture
def account() -> Iterator[Account]:
    clock = VirtualClock()
    engine = Engine(clock=clock, lambda_invoke=lambda name, payload: LambdaResult(payload, None))
    with serve(beside(create_app(clock), engine), name="account") as server:
        yield Account(server.url, clock, StepFunctions())
    engine.close()


def template(result: str) -> str:
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "Result": "${result}", "End": True}}}
    machine = {
        "DefinitionString": json.dumps(definition),
        "DefinitionSubstitutions": {"result": result},
        "RoleArn": ROLE,
    }
    revision = {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]}
    version = {"StateMachineArn": {"Ref": "Machine"}, "StateMachineRevisionId": revision}
    preference = {"StateMachineVersionArn": {"Ref": "Version"}, "Type": "ALL_AT_ONCE"}
    return json.dumps(
        {
            "Resources": {
                "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
                "Version": {
                    "Type": "AWS::StepFunctions::StateMachineVersion",
                    "Properties": version,
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                },
                "Alias": {
                    "Type": "AWS::StepFunctions::StateMachineAlias",
                    "Properties": {"Name": "live", "DeploymentPreference": preference},
                },
            }
        }
    )


def definition_behind(stepfunctions: Any, alias: str) -> Any:
    (route,) = stepfunctions.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"]
    version = stepfunctions.describe_state_machine(stateMachineArn=route["stateMachineVersionArn"])
    return json.loads(version["definition"])["States"]["Done"]["Result"]


def test_an_alias_moves_to_the_version_that_an_update_publishes(account: Account) -> None:
    cloudformation, stepfunctions = account.client("cloudformation"), account.client("stepfunctions")
    cloudformation.create_stack(StackName="s", TemplateBody=template("first"))
    before = account.resources("s")
    assert definition_behind(stepfunctions, before["Alias"]) == "first"
    cloudformation.update_stack(StackName="s", TemplateBody=template("second"))
    after = account.resources("s")
    assert before["Alias"] == after["Alias"]
    assert before["Version"] != after["Version"]
    assert definition_behind(stepfunctions, after["Alias"]) == "second"
    kept = stepfunctions.describe_state_machine(stateMachineArn=before["Version"])
    assert "first" in kept["definition"], "what runs on the old version can finish on it"


def test_a_definition_that_the_engine_refuses_rolls_the_stack_back(account: Account) -> None:
    cloudformation = account.client("cloudformation")
    wrong = json.loads(template("x"))
    wrong["Resources"]["Machine"]["Properties"]["DefinitionString"] = '{"StartAt": "Nowhere", "States": {}}'
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(wrong))
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "InvalidDefinition" in stack["StackStatusReason"]
    assert account.client("stepfunctions").list_state_machines()["stateMachines"] == []
