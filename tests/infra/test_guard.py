"""What watches over sagas: the rescue rule, the sweep on its schedule, and the alarms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.infra.template import Template, text

CLOUDS = ("aws", "azure", "gcp", "vsphere", "scvmm")
PRIVATE = ("vsphere", "scvmm")
READING = {"dynamodb:GetItem", "dynamodb:Query"}


def role(guard: Template, function: str) -> Any:
    return guard.functions()[function]["Role"]


def test_the_rule_listens_for_provisioning_that_ended_badly(guard: Template) -> None:
    pattern = guard.only("AWS::Events::Rule")["Properties"]["EventPattern"]

    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    (machine,) = map(text, pattern["detail"]["stateMachineArn"])
    assert "ProvisioningMachine" in machine


def test_the_rule_starts_the_release_of_the_saga_that_the_execution_is_named_after(guard: Template) -> None:
    (target,) = guard.only("AWS::Events::Rule")["Properties"]["Targets"]
    transformer = target["InputTransformer"]
    filled = transformer["InputTemplate"].replace("<saga>", '"s1"')

    assert "ReleaseAlias" in text(target["Arn"])
    assert transformer["InputPathsMap"] == {"saga": "$.detail.name"}
    assert json.loads(filled) == {"saga_id": "s1", "reason": "COMPENSATE"}


def test_the_sweep_runs_every_hour_for_real(guard: Template) -> None:
    schedule = guard.only("AWS::Scheduler::Schedule")["Properties"]

    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert json.loads(schedule["Target"]["Input"]) == {"dry_run": False}
    assert "SweepAlias" in text(schedule["Target"]["Arn"])


def test_one_sweep_ends_before_the_next_begins(guard: Template) -> None:
    definition = json.loads(text(guard.machines()["skysaga-sweep"]["DefinitionString"]))

    assert definition["TimeoutSeconds"] < 3600


def test_the_sweep_calls_the_published_version_of_the_function_for_each_cloud(guard: Template) -> None:
    known = json.loads(text(guard.functions()["skysaga-sweep"]["Environment"]["Variables"]["SWEEP_FUNCTIONS"]))

    called = {cloud: guard.function_of(arn.strip("{}")) for cloud, arn in known.items()}
    assert called == {cloud: f"skysaga-{cloud}-sweep" for cloud in CLOUDS}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_look_at_a_cloud_has_longer_than_a_step_and_its_task_waits_for_it(guard: Template, cloud: str) -> None:
    function = guard.functions()[f"skysaga-{cloud}-sweep"]
    definition = json.loads(text(guard.machines()["skysaga-sweep"]["DefinitionString"]))
    look = definition["States"]["LookAtClouds"]["ItemProcessor"]["States"]["LookAtCloud"]

    by_report = f"lambdas.placement.handler.sweep_{cloud}"
    assert function["Handler"] == (by_report if cloud in PRIVATE else f"lambdas.{cloud}.handler.sweep")
    assert 30 < function["Timeout"] < look["TimeoutSeconds"]


def test_looking_changes_nothing_anywhere(guard: Template) -> None:
    assert guard.actions(role(guard, "skysaga-aws-sweep"), "ec2:") == {
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRegions",
        "ec2:DescribeVolumes",
    }
    for cloud in CLOUDS:
        reading = READING | ({"dynamodb:BatchGetItem"} if cloud in PRIVATE else set())
        assert guard.actions(role(guard, f"skysaga-{cloud}-sweep"), "dynamodb:") == reading


@pytest.mark.parametrize("cloud", PRIVATE)
def test_a_private_cloud_is_swept_by_what_it_reported(guard: Template, cloud: str) -> None:
    layers = {name: it["Layers"] for name, it in guard.functions().items()}
    services = {it.partition(":")[0] for it in guard.actions(role(guard, f"skysaga-{cloud}-sweep"))}

    assert layers[f"skysaga-{cloud}-sweep"] == layers["skysaga-sweep"]
    assert services == {"dynamodb", "kms", "logs", "ssm", "xray"}


def test_only_the_sweep_machine_starts_releases_and_only_those(guard: Template) -> None:
    starting = [
        text(arn)
        for it in guard.statements(guard.machines()["skysaga-sweep"]["RoleArn"])
        if it["Action"] == ["states:StartExecution"]
        for arn in it["Resource"]
    ]
    assert len(starting) == 1
    assert "ReleaseMachine" in starting[0]
    for function in guard.functions().values():
        assert not guard.actions(function["Role"], "states:")


def test_rules_and_schedules_start_things_for_this_account_only(guard: Template, saga: Template) -> None:
    for template in (guard, saga):
        for it in template.properties("AWS::IAM::Role"):
            (trust,) = it["AssumeRolePolicyDocument"]["Statement"]
            if trust["Principal"]["Service"] in ("events.amazonaws.com", "scheduler.amazonaws.com"):
                assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


@pytest.mark.parametrize(
    "alarm",
    [
        "sagas-need-attention",
        "sweep-found-orphans",
        "sweep-found-unknown",
        "releases-fail",
        "sweep-fails",
        "sweep-missing",
    ],
)
def test_an_alarm_says_what_to_do_and_reaches_the_topic(guard: Template, alarm: str) -> None:
    alarms = {it["AlarmName"]: it for it in guard.properties("AWS::CloudWatch::Alarm")}
    raised = alarms[f"skysaga-{alarm}"]
    (topic,) = guard.resources("AWS::SNS::Topic")

    assert raised["AlarmActions"] == [{"Ref": topic}]
    assert len(raised["AlarmDescription"]) > 30
    assert guard.only("AWS::SNS::Topic")["Properties"]["TopicName"] == "skysaga-alarms"


def test_the_alarm_for_attention_looks_at_what_the_steps_count(guard: Template) -> None:
    alarms = {it["AlarmName"]: it for it in guard.properties("AWS::CloudWatch::Alarm")}
    attention = alarms["skysaga-sagas-need-attention"]

    assert (attention["Namespace"], attention["MetricName"]) == ("skysaga", "SagasNeedingAttention")
    assert attention["Dimensions"] == [{"Name": "service", "Value": "skysaga"}]
    assert (attention["Threshold"], attention["TreatMissingData"]) == (0, "notBreaching")


def test_a_sweep_that_does_not_run_is_noticed(guard: Template) -> None:
    alarms = {it["AlarmName"]: it for it in guard.properties("AWS::CloudWatch::Alarm")}
    missing = alarms["skysaga-sweep-missing"]

    assert missing["TreatMissingData"] == "breaching"
    assert missing["MetricName"] == "ExecutionsSucceeded"


def test_alarms_may_publish_and_nobody_in_the_clear(guard: Template) -> None:
    statements = guard.only("AWS::SNS::TopicPolicy")["Properties"]["PolicyDocument"]["Statement"]
    by_effect = {it["Effect"]: it for it in statements}

    assert by_effect["Allow"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert by_effect["Deny"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
