"""The roles: each function and each state machine may do what it is for, and no more."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.infra.template import Template, text

REMOVING = re.compile(r":(Delete|Terminate|Remove|Stop|Detach|Release|Revoke)")
FOLDERS = ("aws", "azure", "gcp", "placement")
LEDGER = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
CLUSTERS = {"dynamodb:BatchGetItem"}
KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
OWN_LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
COSTS = {
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:StartQueryExecution",
    "glue:GetDatabase",
    "glue:GetPartitions",
    "glue:GetTable",
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
}
MARK_REQUESTED = {"Null": {"aws:RequestTag/skysaga-saga": "false"}}
MARK_PRESENT = {"Null": {"aws:ResourceTag/skysaga-saga": "false"}}


def role(template: Template, function: str) -> Any:
    return template.functions()[function]["Role"]


def ec2(template: Template, verb: str) -> set[str]:
    return template.actions(role(template, f"skysaga-aws-{verb}"), "ec2:")


def test_no_two_functions_share_a_role(saga: Template, guard: Template, api: Template, billing: Template) -> None:
    for template in (saga, guard, api, billing):
        roles = [text(it["Role"]) for it in template.functions().values()]
        assert len(set(roles)) == len(roles)


def test_no_statement_allows_a_wildcard_of_actions(
    saga: Template, guard: Template, api: Template, billing: Template
) -> None:
    for template in (saga, guard, api, billing):
        for policy in template.properties("AWS::IAM::Policy"):
            assert "*" not in str([it["Action"] for it in policy["PolicyDocument"]["Statement"]])


def test_no_role_has_a_managed_policy(saga: Template, guard: Template, api: Template, billing: Template) -> None:
    for template in (saga, guard, api, billing):
        assert not [it for it in template.properties("AWS::IAM::Role") if "ManagedPolicyArns" in it]


def test_only_deleting_can_delete_of_all_functions_there_are(
    saga: Template, guard: Template, api: Template, billing: Template
) -> None:
    removing = {
        name
        for template in (saga, guard, api, billing)
        for name, function in template.functions().items()
        if any(REMOVING.search(action) for action in template.actions(function["Role"]))
    }

    assert removing == {"skysaga-aws-delete"}


def test_observing_on_ec2_changes_nothing(saga: Template) -> None:
    assert ec2(saga, "observe") == {"ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVolumes"}


def test_creating_on_ec2_removes_nothing(saga: Template) -> None:
    assert ec2(saga, "create") - ec2(saga, "observe") == {
        "ec2:AttachVolume",
        "ec2:CreateTags",
        "ec2:CreateVolume",
        "ec2:DescribeImages",
        "ec2:RunInstances",
    }


def test_checking_ec2_may_look_and_do_what_a_dry_run_asks_leave_for(saga: Template) -> None:
    check = role(saga, "skysaga-aws-check")

    assert ec2(saga, "check") - ec2(saga, "observe") == {
        "ec2:CreateTags",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:RunInstances",
    }
    assert saga.actions(check, "servicequotas:") == {"servicequotas:GetServiceQuota"}


def test_deleting_on_ec2_creates_nothing(saga: Template) -> None:
    assert ec2(saga, "delete") - ec2(saga, "observe") == {
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteVolume",
        "ec2:TerminateInstances",
    }


@pytest.mark.parametrize(
    ("verb", "action", "condition"),
    [
        ("create", "ec2:CreateVolume", MARK_REQUESTED),
        ("create", "ec2:AttachVolume", MARK_PRESENT),
        ("delete", "ec2:TerminateInstances", MARK_PRESENT),
        ("delete", "ec2:DeleteVolume", MARK_PRESENT),
        ("delete", "ec2:DeleteNetworkInterface", MARK_PRESENT),
    ],
)
def test_what_is_made_is_marked_and_only_what_is_marked_is_touched(
    saga: Template, verb: str, action: str, condition: dict[str, Any]
) -> None:
    allowing = [it for it in saga.statements(role(saga, f"skysaga-aws-{verb}")) if action in it["Action"]]

    assert [it["Condition"] for it in allowing] == [condition]


@pytest.mark.parametrize("verb", ["create", "check"])
def test_an_instance_is_launched_only_with_the_mark_on_it_and_on_what_comes_with_it(saga: Template, verb: str) -> None:
    launching = [it for it in saga.statements(role(saga, f"skysaga-aws-{verb}")) if "ec2:RunInstances" in it["Action"]]
    unmarked = {text(arn).split(":")[-1] for it in launching if it.get("Condition") is None for arn in it["Resource"]}
    marked = {
        text(arn).split(":")[-1] for it in launching if it.get("Condition") == MARK_REQUESTED for arn in it["Resource"]
    }

    assert marked == {"instance/*", "network-interface/*", "volume/*"}
    assert unmarked == {"image/*", "security-group/*", "subnet/*"}


def test_nothing_is_marked_that_exists_already(saga: Template) -> None:
    (tagging,) = [it for it in saga.statements(role(saga, "skysaga-aws-create")) if "ec2:CreateTags" in it["Action"]]

    assert tagging["Condition"] == {"StringEquals": {"ec2:CreateAction": ["RunInstances", "CreateVolume"]}}


@pytest.mark.parametrize("verb", ["create", "observe", "delete", "check"])
def test_azure_gets_a_token_for_azure_only_and_nothing_else_of_aws(saga: Template, verb: str) -> None:
    azure = role(saga, f"skysaga-azure-{verb}")

    assert saga.actions(azure) == LEDGER | KEY | OWN_LOG | TRACES | {"sts:GetWebIdentityToken"}
    (token,) = [it for it in saga.statements(azure) if "sts:GetWebIdentityToken" in it["Action"]]
    assert token["Condition"]["ForAllValues:StringEquals"] == {
        "sts:IdentityTokenAudience": ["api://AzureADTokenExchange"]
    }
    assert token["Condition"]["Null"] == {"sts:IdentityTokenAudience": "false"}


@pytest.mark.parametrize(
    "function",
    ["skysaga-gcp-create", "skysaga-gcp-observe", "skysaga-gcp-delete", "skysaga-gcp-check"],
)
def test_the_others_reach_only_the_ledger(saga: Template, function: str) -> None:
    assert saga.actions(role(saga, function)) == LEDGER | KEY | OWN_LOG | TRACES


def test_the_saga_steps_schedule_expiries_and_let_them_use_their_role_and_nothing_else(saga: Template) -> None:
    steps = role(saga, "skysaga-saga")

    assert saga.actions(steps) == LEDGER | KEY | OWN_LOG | TRACES | {"scheduler:CreateSchedule", "iam:PassRole"}
    (scheduling,) = [it for it in saga.statements(steps) if "scheduler:CreateSchedule" in it["Action"]]
    assert [text(arn).rpartition(":")[2] for arn in scheduling["Resource"]] == ["schedule/skysaga-expiry/*"]
    (passing,) = [it for it in saga.statements(steps) if "iam:PassRole" in it["Action"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_nobody_deletes_from_the_ledger(saga: Template, api: Template) -> None:
    for template in (saga, api):
        for name, function in template.functions().items():
            assert template.actions(function["Role"], "dynamodb:") - CLUSTERS == LEDGER, name


def test_only_who_places_or_shows_clusters_reads_what_is_claimed_of_all_of_them(saga: Template, api: Template) -> None:
    reading = {
        name
        for template in (saga, api)
        for name, function in template.functions().items()
        if CLUSTERS & template.actions(function["Role"])
    }

    assert reading == {
        "skysaga-api",
        *(f"skysaga-placement-{verb}" for verb in ("create", "observe", "delete", "check")),
    }


def test_placement_asks_nobody_but_the_ledger_and_for_a_plan_the_rate_cards(saga: Template) -> None:
    for verb in ("create", "observe", "delete", "check"):
        placing = role(saga, f"skysaga-placement-{verb}")
        rate_cards = {"ssm:GetParameters"} if verb == "check" else set()

        assert saga.actions(placing) == LEDGER | CLUSTERS | KEY | OWN_LOG | TRACES | rate_cards


def test_only_the_api_lists_sagas_by_status_or_caller(saga: Template, api: Template) -> None:
    for name, function in (saga.functions() | api.functions()).items():
        template = api if name == "skysaga-api" else saga
        tables = {text(arn) for it in template.statements(function["Role"]) for arn in it["Resource"] if arn != "*"}
        assert any(it.endswith("/index/by-status") for it in tables) == (name == "skysaga-api")
        assert any(it.endswith("/index/by-caller") for it in tables) == (name == "skysaga-api")


def test_the_api_starts_the_three_state_machines_and_calls_the_checks_only(api: Template) -> None:
    handler = role(api, "skysaga-api")
    started = [
        text(arn)
        for it in api.statements(handler)
        if it["Action"] == ["states:StartExecution"]
        for arn in it["Resource"]
    ]

    (called,) = [it["Resource"] for it in api.statements(handler) if it["Action"] == ["lambda:InvokeFunction"]]

    called_for = {
        "lambda:InvokeFunction",
        "ssm:GetParameters",
        "states:DescribeExecution",
        "states:GetExecutionHistory",
        "states:SendTaskSuccess",
        "states:StartExecution",
    }
    assert api.actions(handler) == LEDGER | CLUSTERS | KEY | OWN_LOG | TRACES | COSTS | called_for
    assert len(called) == len(FOLDERS)
    assert all("Check" in text(arn) for arn in called)
    provisioning, release, sweep = started
    assert "ProvisioningMachine" in provisioning
    assert "ReleaseMachine" in release
    assert "SweepMachine" in sweep


def test_the_api_looks_at_the_executions_of_sweeps_and_of_nothing_else(api: Template) -> None:
    (statement,) = [it for it in api.statements(role(api, "skysaga-api")) if "states:DescribeExecution" in it["Action"]]

    assert [text(arn).rpartition(":execution:")[2] for arn in statement["Resource"]] == ["skysaga-sweep:*"]


def test_the_api_wakes_only_what_provisions(api: Template) -> None:
    (woken,) = [
        text(arn)
        for it in api.statements(role(api, "skysaga-api"))
        if it["Action"] == ["states:SendTaskSuccess"]
        for arn in it["Resource"]
    ]

    assert "ProvisioningMachine" in woken


@pytest.mark.parametrize(
    ("machine", "verbs"),
    [("skysaga-provisioning", {"create", "observe", "check"}), ("skysaga-release", {"observe", "delete"})],
)
def test_a_state_machine_invokes_its_own_verbs_in_every_version_still_in_use(
    saga: Template, machine: str, verbs: set[str]
) -> None:
    invoking = [
        text(arn)
        for it in saga.statements(saga.machines()[machine]["RoleArn"])
        if it["Action"] == ["lambda:InvokeFunction"]
        for arn in it["Resource"]
    ]
    functions = saga.resources("AWS::Lambda::Function")
    invoked = {functions[arn.split(".")[0].strip("{")]["Properties"]["FunctionName"] for arn in invoking}

    assert all(arn.endswith(".Arn}:*") for arn in invoking)
    assert invoked == {"skysaga-saga"} | {f"skysaga-{cloud}-{verb}" for cloud in FOLDERS for verb in verbs}


def test_provisioning_starts_release_and_each_machine_its_own_batches(saga: Template) -> None:
    machines = saga.machines()
    (release,) = [
        name
        for name, it in saga.resources("AWS::StepFunctions::StateMachine").items()
        if it["Properties"]["StateMachineName"] == "skysaga-release"
    ]

    def started_by(machine: str) -> list[str]:
        allowed = saga.statements(machines[machine]["RoleArn"])
        return sorted(
            text(arn) for it in allowed if it["Action"] == ["states:StartExecution"] for arn in it["Resource"]
        )

    prefix = "arn:{AWS::Partition}:states:{AWS::Region}:{AWS::AccountId}:stateMachine:"
    assert started_by("skysaga-release") == [f"{prefix}skysaga-release"]
    assert started_by("skysaga-provisioning") == [f"{prefix}skysaga-provisioning", f"{{{release}}}"]


@pytest.mark.parametrize("machine", ["skysaga-provisioning", "skysaga-release"])
def test_a_state_machine_sends_tasks_to_clusters_that_there_may_be_and_to_no_other_queue(
    saga: Template, machine: str
) -> None:
    allowed = saga.statements(saga.machines()[machine]["RoleArn"])
    (sending,) = [it for it in allowed if "sqs:SendMessage" in it["Action"]]
    (key,) = [it for it in allowed if "kms:GenerateDataKey" in it["Action"]]

    assert saga.actions(saga.machines()[machine]["RoleArn"], "sqs:") == {"sqs:SendMessage"}
    assert [text(arn).rpartition(":")[2] for arn in sending["Resource"]] == ["skysaga-cluster-*"]
    assert set(key["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
    assert ["OperationsKey" in text(arn) for arn in key["Resource"]] == [True]
    assert text(key["Condition"]["StringEquals"]["kms:ViaService"]) == "sqs.{AWS::Region}.{AWS::URLSuffix}"
