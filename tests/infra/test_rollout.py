"""How new versions of the state machines go live, and what stops them."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack

from infra.constructs.rollout import Rollout
from infra.packaging.bundles import ROOT
from infra.settings import Settings
from tests.infra.template import Template, text

MACHINES = ("skysaga-provisioning", "skysaga-release", "skysaga-sweep", "skysaga-billing")


@pytest.fixture(name="templates")
def _templates(saga: Template, guard: Template, billing: Template) -> list[Template]:
    return [saga, guard, billing]


def aliases(templates: list[Template]) -> dict[str, dict[str, Any]]:
    """The deployment preference of each machine's alias, its alarms as their properties."""
    found = {}
    for template in templates:
        alarms = template.resources("AWS::CloudWatch::Alarm")
        versions = template.resources("AWS::StepFunctions::StateMachineVersion")
        machines = template.resources("AWS::StepFunctions::StateMachine")
        for alias in template.properties("AWS::StepFunctions::StateMachineAlias"):
            preference = alias["DeploymentPreference"]
            version = versions[preference["StateMachineVersionArn"]["Fn::GetAtt"][0]]
            machine = machines[version["Properties"]["StateMachineArn"]["Fn::GetAtt"][0]]
            watched = [alarms[alarm["Ref"]]["Properties"] for alarm in preference.get("Alarms", [])]
            found[machine["Properties"]["StateMachineName"]] = {**alias, **preference, "Alarms": watched}
    return found


def metrics(alarm: dict[str, Any]) -> set[tuple[str, str]]:
    """Namespace and name of all that an alarm looks at."""
    stats = [it["MetricStat"]["Metric"] for it in alarm.get("Metrics", []) if "MetricStat" in it] or [alarm]
    return {(it["Namespace"], it["MetricName"]) for it in stats}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_new_version_gets_a_fifth_of_what_starts_and_ten_minutes_later_everything(
    templates: list[Template], machine: str
) -> None:
    alias = aliases(templates)[machine]

    assert (alias["Name"], alias["Type"], alias["Percentage"], alias["Interval"]) == ("live", "CANARY", 20, 10)
    assert "RoutingConfiguration" not in alias, "CloudFormation refuses both"


@pytest.mark.parametrize("machine", MACHINES)
def test_executions_that_fail_or_time_out_stop_their_own_machines_rollout(
    templates: list[Template], machine: str
) -> None:
    (failing,) = [it for it in aliases(templates)[machine]["Alarms"] if it["AlarmName"] == f"{machine}-rollout-fails"]

    assert metrics(failing) == {("AWS/States", "ExecutionsFailed"), ("AWS/States", "ExecutionsTimedOut")}
    looked_at = {
        text(dimension["Value"])
        for it in failing["Metrics"]
        if "MetricStat" in it
        for dimension in it["MetricStat"]["Metric"]["Dimensions"]
    }
    (machine_arn,) = looked_at
    assert machine.removeprefix("skysaga-").capitalize() in machine_arn


@pytest.mark.parametrize("machine", MACHINES[:2])
def test_a_step_that_breaks_stops_the_rollout_though_its_saga_is_undone_in_good_order(
    templates: list[Template], machine: str
) -> None:
    watched = [metrics(alarm) for alarm in aliases(templates)[machine]["Alarms"]]

    assert {("skysaga", "StepsBroken")} in watched


@pytest.mark.parametrize("machine", MACHINES)
def test_an_alarm_is_raised_within_a_minute_and_is_over_a_minute_after(templates: list[Template], machine: str) -> None:
    for alarm in aliases(templates)[machine]["Alarms"]:
        periods = {it["MetricStat"]["Period"] for it in alarm.get("Metrics", []) if "MetricStat" in it}
        assert (periods or {alarm["Period"]}) == {60}
        assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (0, 1)
        assert alarm["TreatMissingData"] == "notBreaching"


def test_a_repair_can_go_live_at_once_whatever_the_alarms_say() -> None:
    stack = Stack(App(context={"rollout": "at-once"}), "Alone")
    rollout = Rollout(stack, "Rollout", gradual=Settings.from_context(stack).gradual)
    rollout.stop_at_unforeseen_errors()

    preference = stack.resolve(rollout.preference("skysaga-any", "arn:machine", "arn:machine:2"))
    assert preference == {"type": "ALL_AT_ONCE", "stateMachineVersionArn": "arn:machine:2"}


def test_another_rollout_than_there_is_is_refused_and_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="rollout=slow: give one of gradual, at-once"):
        Settings.from_context(App(context={"rollout": "slow"}))


def test_the_decision_gives_the_numbers_that_are_deployed(templates: list[Template]) -> None:
    alias = aliases(templates)[MACHINES[0]]
    (decision,) = (ROOT / "docs" / "decisions").glob("0010-*.md")

    assert f"{alias['Percentage']} %" in decision.read_text()
    assert f"{alias['Interval']} minutes" in decision.read_text()
