"""State machine aliases that move to a new version step by step, and back when an alarm goes off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.aws.account import create_app
from local.clock import VirtualClock
from local.http_server import serve
from local.stepfunctions import Engine, LambdaResult
from tests.unit.local_aws.conftest import Account
from tests.unit.local_aws.step_functions import StepFunctions, beside

CANARY = {"Type": "CANARY", "Percentage": 20, "Interval": 10}


class Deployments:
    """An account in which the time of a deployment passes at once, and a test may do something `meanwhile`."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.meanwhile: Callable[[float], None] = lambda passed: None
        self.routes: list[tuple[float, dict[str, int]]] = []
        self._started = self.clock.now()

    def open(self, url: str) -> None:
        self.account = Account(url, self.clock, StepFunctions())
        self.cloudformation = self.account.client("cloudformation")
        self.stepfunctions = self.account.client("stepfunctions")

    def wait(self, seconds: float) -> None:
        """A moment of a deployment: note how the alias is routed, let the test act, and move on."""
        passed = self.clock.now() - self._started
        self.routes.append((passed / 60, self.routing()))
        self.meanwhile(passed)
        self.clock.advance(seconds)

    def create(self, result: str, **preference: Any) -> None:
        self.cloudformation.create_stack(StackName="s", TemplateBody=template(result, preference))

    def update(self, result: str, **preference: Any) -> dict[str, Any]:
        """The stack when its update has ended."""
        self._started = self.clock.now()
        self.cloudformation.update_stack(StackName="s", TemplateBody=template(result, preference))
        deadline = time.monotonic() + 20
        while (stack := self.stack())["StackStatus"].endswith("_IN_PROGRESS"):
            assert time.monotonic() < deadline, stack
            time.sleep(0.01)
        return stack

    def stack(self) -> dict[str, Any]:
        (stack,) = self.cloudformation.describe_stacks(StackName="s")["Stacks"]
        return dict(stack)

    def alias(self) -> str:
        return self.account.resources("s")["Alias"]

    def routing(self) -> dict[str, int]:
        """The weight of each version number."""
        described = self.stepfunctions.describe_state_machine_alias(stateMachineAliasArn=self.alias())
        routes = described["routingConfiguration"]
        return {it["stateMachineVersionArn"].rsplit(":", 1)[1]: it["weight"] for it in routes}

    def shifts(self) -> list[tuple[float, dict[str, int]]]:
        """In which minute the alias was first seen routed in which way."""
        seen: list[tuple[float, dict[str, int]]] = []
        for minute, routes in self.routes:
            if not seen or seen[-1][1] != routes:
                seen.append((minute, routes))
        return seen

    def set_alarm(self, state: str) -> None:
        cloudwatch = self.account.client("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName="bad", StateValue=state, StateReason="a test says so")


@pytest.fixture
def deployments() -> Iterator[Deployments]:
    opened = Deployments()
    engine = Engine(clock=opened.clock, lambda_invoke=lambda name, payload: LambdaResult(payload, None))
    with serve(beside(create_app(opened.clock, wait=opened.wait), engine), name="account") as server:
        opened.open(server.url)
        yield opened
    engine.close()


def template(result: str, preference: dict[str, Any]) -> str:
    definition = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "Result": result, "End": True}}}
    machine = {"DefinitionString": json.dumps(definition), "RoleArn": "arn:aws:iam::123456789012:role/machine"}
    revision = {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]}
    version = {"StateMachineArn": {"Ref": "Machine"}, "StateMachineRevisionId": revision}
    alarm = {
        "AlarmName": "bad",
        "Namespace": "n",
        "MetricName": "m",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 0,
        "EvaluationPeriods": 1,
        "Period": 60,
        "Statistic": "Sum",
    }
    alias = {
        "Name": "live",
        "DeploymentPreference": {
            **(preference or CANARY),
            "StateMachineVersionArn": {"Ref": "Version"},
            "Alarms": [{"Ref": "Alarm"}],
        },
    }
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    resources = {
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
        "Version": {"Type": "AWS::StepFunctions::StateMachineVersion", "Properties": version, **kept},
        "Alias": {"Type": "AWS::StepFunctions::StateMachineAlias", "Properties": alias},
    }
    return json.dumps({"Resources": resources})


def test_the_first_deployment_goes_live_at_once(deployments: Deployments) -> None:
    deployments.create("first")
    assert deployments.stack()["StackStatus"] == "CREATE_COMPLETE"
    assert deployments.routing() == {"1": 100}
    assert deployments.routes == []


def test_a_canary_gets_its_share_for_the_interval_and_then_everything(deployments: Deployments) -> None:
    deployments.create("first")
    stack = deployments.update("second")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack
    assert deployments.shifts() == [(0, {"2": 20, "1": 80})]
    assert deployments.routes[-1][0] == 9.5
    assert deployments.routing() == {"2": 100}


def test_a_linear_deployment_adds_its_share_at_every_interval(deployments: Deployments) -> None:
    preference = {"Type": "LINEAR", "Percentage": 40, "Interval": 5}
    deployments.create("first", **preference)
    assert deployments.update("second", **preference)["StackStatus"] == "UPDATE_COMPLETE"
    assert deployments.shifts() == [(0, {"2": 40, "1": 60}), (5, {"2": 80, "1": 20})]
    assert deployments.routing() == {"2": 100}


def test_executions_of_the_alias_are_shared_out_by_weight(deployments: Deployments) -> None:
    def start_some(passed: float) -> None:
        if passed == 0:
            for _ in range(50):
                deployments.stepfunctions.start_execution(stateMachineArn=deployments.alias())

    deployments.create("first")
    deployments.meanwhile = start_some
    deployments.update("second")
    executions = deployments.stepfunctions.list_executions(stateMachineArn=deployments.alias())["executions"]
    started = [it["stateMachineVersionArn"][-1] for it in executions]
    assert 1 <= started.count("2") <= 20, "a fifth of fifty, give or take three and a half standard deviations"
    assert started.count("1") + started.count("2") == 50


def test_an_alarm_moves_the_alias_back_and_the_stack_with_it(deployments: Deployments) -> None:
    deployments.create("first")
    deployments.meanwhile = lambda passed: deployments.set_alarm("ALARM") if passed == 120 else None
    stack = deployments.update("second")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "alarms are in ALARM state: bad" in stack["StackStatusReason"]
    assert deployments.shifts() == [(0, {"2": 20, "1": 80})]
    assert deployments.routes[-1][0] == 2, "nothing is waited for after the alarm"
    assert deployments.routing() == {"1": 100}
    machine = deployments.account.resources("s")["Machine"]
    assert "first" in deployments.stepfunctions.describe_state_machine(stateMachineArn=machine)["definition"]


def test_an_alarm_that_is_on_already_lets_nothing_through(deployments: Deployments) -> None:
    deployments.create("first")
    deployments.set_alarm("ALARM")
    assert deployments.update("second")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert deployments.routes == []
    deployments.set_alarm("OK")
    assert deployments.update("third")["StackStatus"] == "UPDATE_COMPLETE"
    assert list(deployments.routing().values()) == [100]


def test_an_alarm_stops_no_deployment_that_is_not_gradual(deployments: Deployments) -> None:
    deployments.create("first")
    deployments.set_alarm("ALARM")
    assert deployments.update("second", Type="ALL_AT_ONCE")["StackStatus"] == "UPDATE_COMPLETE"
    assert deployments.routing() == {"2": 100}


def test_a_deployment_can_be_watched_and_nothing_else_changes_its_stack(deployments: Deployments) -> None:
    seen: list[Any] = []

    def interfere(passed: float) -> None:
        if passed == 0:
            seen.append(deployments.stack()["StackStatus"])
            for change in ("update_stack", "delete_stack"):
                body = {"TemplateBody": template("third", {})} if change == "update_stack" else {}
                with pytest.raises(deployments.cloudformation.exceptions.ClientError) as refusal:
                    getattr(deployments.cloudformation, change)(StackName="s", **body)
                seen.append(refusal.value.response["Error"]["Message"])

    deployments.create("first")
    deployments.meanwhile = interfere
    assert deployments.update("second")["StackStatus"] == "UPDATE_COMPLETE"
    assert seen[0] == "UPDATE_IN_PROGRESS"
    assert len(seen) == 3
    assert all("UPDATE_IN_PROGRESS" in refusal for refusal in seen[1:])


def test_an_alias_that_somebody_else_moves_meanwhile_fails_the_deployment(deployments: Deployments) -> None:
    def move(passed: float) -> None:
        if passed == 60:
            (old,) = [number for number in deployments.routing() if number == "1"]
            arn = f"{deployments.account.resources('s')['Machine']}:{old}"
            route = {"stateMachineVersionArn": arn, "weight": 100}
            deployments.stepfunctions.update_state_machine_alias(
                stateMachineAliasArn=deployments.alias(), routingConfiguration=[route]
            )

    deployments.create("first")
    deployments.meanwhile = move
    stack = deployments.update("second")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Somebody else" in stack["StackStatusReason"]


@pytest.mark.parametrize(
    ("preference", "said"),
    [
        ({"Type": "CANARY", "Percentage": 20}, "needs Interval, from 1 to 2100"),
        ({"Type": "LINEAR", "Percentage": 100, "Interval": 5}, "needs Percentage, from 1 to 99"),
        ({"Type": "SOMETIMES"}, "one of ALL_AT_ONCE, CANARY, LINEAR"),
    ],
)
def test_a_preference_that_is_none_is_refused_and_says_why(
    deployments: Deployments, preference: dict[str, Any], said: str
) -> None:
    deployments.create("first", **preference)
    assert deployments.stack()["StackStatus"] == "ROLLBACK_COMPLETE"
    assert said in deployments.stack()["StackStatusReason"]
