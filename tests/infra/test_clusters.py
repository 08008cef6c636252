"""Private clusters as they are deployed: queues, workers on Lambda and agents, what each may do, and the alarms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.application import build_application
from infra.constructs.cluster import SILENT_SECONDS
from infra.packaging.bundles import ROOT
from infra.private_clouds import MOST_CLUSTERS, Cluster, PrivateCloud, Vpc
from lambdas.adapters.observability import NAMESPACE
from lambdas.adapters.settings import HIDDEN_SECONDS
from lambdas.core.placement.filtering import OLDEST_REPORT
from lambdas.core.steps.measuring import REPORT_AGE
from lambdas.worker.handler import LAST_STEP_MILLISECONDS
from tests.infra.conftest import PRIVATE_CLOUDS
from tests.infra.template import Template, text

ON_LAMBDA = {"berlin-1": "berlin", "berlin-2": "berlin", "paris-1": "paris"}
BY_AGENT = {"ulm-1": "ulm", "ulm-2": "ulm"}
CLUSTERS = ON_LAMBDA | BY_AGENT
OWN = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}
LEDGER = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
ANSWERS = {"states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"}
KNOWING = {"ssm:GetParameters", "secretsmanager:GetSecretValue"}


def queue(clusters: Template, name: str) -> tuple[str, dict[str, Any]]:
    (found,) = [
        (logical_id, it["Properties"])
        for logical_id, it in clusters.resources("AWS::SQS::Queue").items()
        if it["Properties"]["QueueName"] == f"skysaga-cluster-{name}"
    ]
    return found


def allowed(clusters: Template, function: str) -> dict[str, dict[str, Any]]:
    """What a function may do by way of statements that are named."""
    statements = clusters.statements(clusters.functions()[function]["Role"])
    return {it["Sid"]: it for it in statements if "Sid" in it}


def agent(clusters: Template) -> dict[str, dict[str, Any]]:
    policy = clusters.only("AWS::IAM::ManagedPolicy")["Properties"]
    return {it["Sid"]: it for it in policy["PolicyDocument"]["Statement"]}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def queues_of(statement: dict[str, Any], clusters: Template) -> set[str]:
    resources = clusters.resources("AWS::SQS::Queue")
    arns = [text(it) for it in listed(statement["Resource"])]
    return {resources[it.removesuffix(".Arn}").strip("{")]["Properties"]["QueueName"] for it in arns}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_has_a_queue_and_what_is_taken_five_times_in_vain_is_put_aside(
    clusters: Template, cluster: str
) -> None:
    _, tasks = queue(clusters, cluster)
    dead, letters = queue(clusters, f"{cluster}-dead")

    assert tasks["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]}, "maxReceiveCount": 5}
    assert letters["MessageRetentionPeriod"] > tasks["MessageRetentionPeriod"]


def test_all_queues_are_encrypted_with_the_operations_key_and_reached_by_tls_only(clusters: Template) -> None:
    queues = clusters.resources("AWS::SQS::Queue")
    refusing = {
        text(it["Properties"]["Queues"][0]).strip("{}"): it["Properties"]["PolicyDocument"]["Statement"]
        for it in clusters.resources("AWS::SQS::QueuePolicy").values()
    }

    assert len(queues) == 2 * len(CLUSTERS)
    assert all("OperationsKey" in text(it["Properties"]["KmsMasterKeyId"]) for it in queues.values())
    assert set(refusing) == set(queues)
    for (statement,) in refusing.values():
        assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("cluster", ON_LAMBDA)
def test_a_task_stays_hidden_while_its_function_may_still_work_on_it(clusters: Template, cluster: str) -> None:
    _, tasks = queue(clusters, cluster)
    work = clusters.functions()[f"skysaga-{ON_LAMBDA[cluster]}-work"]

    assert tasks["VisibilityTimeout"] > work["Timeout"]
    assert work["Timeout"] * 1000 > 2 * LAST_STEP_MILLISECONDS


@pytest.mark.parametrize("cluster", BY_AGENT)
def test_a_task_that_an_agent_dropped_shows_again_after_what_agents_ask_for(clusters: Template, cluster: str) -> None:
    _, tasks = queue(clusters, cluster)

    assert tasks["VisibilityTimeout"] == HIDDEN_SECONDS


@pytest.mark.parametrize(("cluster", "most"), [("berlin-1", 8), ("berlin-2", 2), ("paris-1", 4)])
def test_lambda_takes_one_task_a_call_and_as_many_calls_as_the_cluster_bears_or_two(
    clusters: Template, cluster: str, most: int
) -> None:
    tasks, _ = queue(clusters, cluster)
    (mapping,) = [
        it
        for it in clusters.properties("AWS::Lambda::EventSourceMapping")
        if it["EventSourceArn"] == {"Fn::GetAtt": [tasks, "Arn"]}
    ]
    function, version = text(mapping["FunctionName"]).split(":")

    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": most}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    called = clusters.resources("AWS::Lambda::Function")[function.strip("{}")]["Properties"]
    assert called["FunctionName"] == f"skysaga-{ON_LAMBDA[cluster]}-work"
    assert clusters.function_of(version.strip("{}").removesuffix(".Version")) == called["FunctionName"]


def test_nobody_polls_for_an_agent(clusters: Template) -> None:
    assert len(clusters.properties("AWS::Lambda::EventSourceMapping")) == len(ON_LAMBDA)


@pytest.mark.parametrize("cloud", ["berlin", "paris"])
@pytest.mark.parametrize("does", ["work", "report"])
def test_a_cloud_on_lambda_is_worked_on_with_what_its_provider_needs(clusters: Template, cloud: str, does: str) -> None:
    function = clusters.functions()[f"skysaga-{cloud}-{does}"]
    provider = PRIVATE_CLOUDS[cloud]["provider"]
    (layer,) = map(text, function["Layers"])

    assert function["Handler"] == f"lambdas.{provider}.handler.{does}"
    assert f"{provider.capitalize()}Dependencies" in layer
    variables = function["Environment"]["Variables"]
    assert json.loads(variables["CLUSTERS"]) == list(PRIVATE_CLOUDS[cloud]["clusters"])
    assert "LedgerTable" in text(variables["LEDGER_TABLE"])


def test_functions_are_attached_to_the_vpc_that_is_given_and_to_no_other(clusters: Template) -> None:
    attached = {name: it["VpcConfig"] for name, it in clusters.functions().items() if "VpcConfig" in it}

    assert set(attached) == {"skysaga-berlin-work", "skysaga-berlin-report"}
    for network in attached.values():
        assert network == {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": ["sg-0123456789abcdef0"]}


@pytest.mark.parametrize("does", ["work", "report"])
def test_interfaces_are_lambdas_to_manage_and_not_the_functions(clusters: Template, does: str) -> None:
    statements = allowed(clusters, f"skysaga-berlin-{does}")

    given = {*statements["LookIntoVpc"]["Action"], *statements["AttachToVpc"]["Action"]}
    assert given == set(statements["OnlyByLambda"]["Action"])
    assert statements["OnlyByLambda"]["Effect"] == "Deny"
    (own,) = statements["OnlyByLambda"]["Condition"]["ArnEquals"].values()
    assert text(own).endswith(f":function:skysaga-berlin-{does}")
    assert not clusters.actions(clusters.functions()["skysaga-paris-work"]["Role"], "ec2:")


def test_a_working_function_may_do_what_its_tasks_are_and_no_more(clusters: Template) -> None:
    taking = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}

    actions = clusters.actions(clusters.functions()["skysaga-paris-work"]["Role"])
    assert actions == OWN | LEDGER | KEY | ANSWERS | KNOWING | taking


def test_a_reporting_function_writes_its_own_clusters_reports_and_reads_nothing_of_the_ledger(
    clusters: Template,
) -> None:
    statements = allowed(clusters, "skysaga-berlin-report")

    actions = clusters.actions(clusters.functions()["skysaga-paris-report"]["Role"])
    assert actions == OWN | KEY | KNOWING | {"dynamodb:PutItem"}
    assert statements["Reports"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["CLUSTERS", "MACHINES#berlin-1", "MACHINES#berlin-2"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


def test_an_agent_may_do_what_both_functions_may_and_nobody_is_given_it_yet(clusters: Template) -> None:
    policy = clusters.only("AWS::IAM::ManagedPolicy")["Properties"]
    taking = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"}

    assert policy["ManagedPolicyName"] == "skysaga-ulm-agent"
    assert not {"Roles", "Users", "Groups"} & set(policy)
    actions = {action for it in agent(clusters).values() for action in listed(it["Action"])}
    assert actions == LEDGER | KEY | ANSWERS | KNOWING | taking


def test_the_agents_policy_is_put_out(clusters: Template) -> None:
    (policy,) = clusters.resources("AWS::IAM::ManagedPolicy")

    (output,) = [it for name, it in clusters.outputs.items() if name.startswith("ulmAgent")]
    assert output["Value"] == {"Ref": policy}


def test_a_worker_takes_the_tasks_of_its_own_clusters(clusters: Template) -> None:
    assert queues_of(allowed(clusters, "skysaga-berlin-work")["PollTasks"], clusters) == {
        "skysaga-cluster-berlin-1",
        "skysaga-cluster-berlin-2",
    }
    assert queues_of(agent(clusters)["TakeTasks"], clusters) == {"skysaga-cluster-ulm-1", "skysaga-cluster-ulm-2"}


@pytest.mark.parametrize("does", ["work", "report"])
def test_a_worker_knows_its_own_clusters_settings(clusters: Template, does: str) -> None:
    reading = {
        "berlin": allowed(clusters, f"skysaga-berlin-{does}")["Parameters"],
        "ulm": agent(clusters)["Parameters"],
    }

    for cloud, statement in reading.items():
        names = {text(it).partition(":parameter")[2] for it in statement["Resource"]}
        assert names == {f"/skysaga/clusters/{it}" for it in PRIVATE_CLOUDS[cloud]["clusters"]}


def test_a_worker_reads_its_own_secret_whatever_secrets_manager_adds_to_its_name(clusters: Template) -> None:
    (by_name,) = map(text, allowed(clusters, "skysaga-berlin-work")["Secret"]["Resource"])

    assert by_name.endswith(":secret:skysaga/berlin-??????")
    assert agent(clusters)["Secret"]["Resource"] == PRIVATE_CLOUDS["ulm"]["secret"]


def test_the_secrets_key_is_used_through_secrets_manager_for_that_secret_only(clusters: Template) -> None:
    service = "secretsmanager.{AWS::Region}.{AWS::URLSuffix}"
    for statements, account in (
        (allowed(clusters, "skysaga-berlin-report"), "{AWS::AccountId}"),
        (agent(clusters), "210987654321"),
    ):
        key, secret = statements["SecretKey"], statements["Secret"]
        assert listed(key["Action"]) == ["kms:Decrypt"]
        assert text(listed(key["Resource"])[0]).endswith(f":{account}:key/*")
        assert text(key["Condition"]["StringEquals"]["kms:ViaService"]) == service
        assert [key["Condition"]["StringLike"]["kms:EncryptionContext:SecretARN"]] == listed(secret["Resource"])


def test_a_worker_answers_the_two_state_machines_and_no_other(clusters: Template) -> None:
    for statements in (allowed(clusters, "skysaga-berlin-work"), agent(clusters)):
        machines = [text(it) for it in statements["AnswerTasks"]["Resource"]]
        assert len(machines) == 2
        assert "ProvisioningMachine" in machines[0]
        assert "ReleaseMachine" in machines[1]


def test_no_two_functions_share_a_role_and_no_statement_allows_a_wildcard_of_actions(clusters: Template) -> None:
    roles = [text(it["Role"]) for it in clusters.functions().values()]

    assert len(set(roles)) == len(roles)
    for type_ in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for policy in clusters.properties(type_):
            assert "*" not in str([it["Action"] for it in policy["PolicyDocument"]["Statement"]])


@pytest.mark.parametrize(
    ("schedule", "function"),
    [
        ("skysaga-berlin-report", "skysaga-berlin-report"),
        ("skysaga-paris-report", "skysaga-paris-report"),
    ],
)
def test_reports_are_made_every_minute_and_none_is_made_up_for(
    clusters: Template, schedule: str, function: str
) -> None:
    schedules = {it["Name"]: it for it in clusters.properties("AWS::Scheduler::Schedule")}
    target = schedules[schedule]["Target"]
    logical_id = target["Arn"]["Fn::GetAtt"][0]
    retries = {it["FunctionName"]["Ref"]: it for it in clusters.properties("AWS::Lambda::EventInvokeConfig")}

    assert schedules[schedule]["ScheduleExpression"] == "rate(1 minute)"
    called = clusters.resources("AWS::Lambda::Function")[logical_id]["Properties"]
    assert called["FunctionName"] == function
    assert called["Timeout"] < 60
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == retries[logical_id]["MaximumRetryAttempts"] == 0
    (calling,) = clusters.statements(target["RoleArn"])
    assert (calling["Action"], calling["Resource"]) == (["lambda:InvokeFunction"], [target["Arn"]])


def test_schedules_call_for_this_account_only(clusters: Template) -> None:
    trusts = [it["AssumeRolePolicyDocument"]["Statement"][0] for it in clusters.properties("AWS::IAM::Role")]
    scheduling = [it for it in trusts if it["Principal"]["Service"] == "scheduler.amazonaws.com"]

    assert len(scheduling) == 2
    for trust in scheduling:
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def alarms(clusters: Template) -> dict[str, dict[str, Any]]:
    return {it["AlarmName"]: it for it in clusters.properties("AWS::CloudWatch::Alarm")}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_task_in_the_dead_letter_queue_raises_an_alarm(clusters: Template, cluster: str) -> None:
    alarm = alarms(clusters)[f"skysaga-cluster-{cluster}-given-up"]
    dead, _ = queue(clusters, f"{cluster}-dead")

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [dead, "QueueName"]}}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_that_does_not_report_raises_an_alarm_before_placement_leaves_it_alone(
    clusters: Template, cluster: str
) -> None:
    alarm = alarms(clusters)[f"skysaga-cluster-{cluster}-silent"]

    assert (alarm["Namespace"], alarm["MetricName"]) == (NAMESPACE, REPORT_AGE)
    assert {it["Name"]: it["Value"] for it in alarm["Dimensions"]} == {"service": "skysaga", "cluster": cluster}
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Threshold"] == SILENT_SECONDS
    assert SILENT_SECONDS + alarm["EvaluationPeriods"] * alarm["Period"] < OLDEST_REPORT


def test_every_alarm_says_what_to_do_and_reaches_the_topic_of_all_alarms(clusters: Template) -> None:
    assert len(alarms(clusters)) == 3 * len(CLUSTERS)
    for alarm in alarms(clusters).values():
        (action,) = alarm["AlarmActions"]
        assert "AlarmsTopic" in text(action)
        assert len(alarm["AlarmDescription"]) > 60


def test_the_page_about_clusters_has_every_field_every_alarm_and_the_numbers_that_are_deployed(
    clusters: Template,
) -> None:
    page = (ROOT / "docs" / "clusters.md").read_text()
    fields = {*PrivateCloud.model_fields, *Cluster.model_fields, *Vpc.model_fields}
    named = {re.sub("cluster-.*-(silent|given-up|waiting)", r"cluster-NAME-\1", name) for name in alarms(clusters)}

    assert [it for it in fields if f"`{it}`" not in page and f'"{it}"' not in page] == []
    assert [it for it in named if f"`{it}`" not in page] == []
    assert f"at most {MOST_CLUSTERS};" in page


LONGEST = {"AWS::Partition": "aws-us-gov", "AWS::Region": "ap-southeast-1", "AWS::AccountId": "123456789012"}
ARN = "x" * 120
"""Of a table, a key, a state machine or a queue, with the longest names that these have."""


@pytest.mark.parametrize(
    ("worker", "type_", "longest"),
    [("agent", "AWS::IAM::ManagedPolicy", 6_144), ("lambda", "AWS::IAM::Policy", 10_240)],
)
def test_what_a_worker_may_do_fits_into_its_policy_for_as_many_clusters_as_a_cloud_may_have(
    tmp_path: Path, worker: str, type_: str, longest: int
) -> None:
    declared = {
        "provider": "vsphere",
        "server": "https://vc.example",
        "secret": "s" * 255,
        "worker": worker,
        "clusters": {f"{number:02}-{'x' * 37}": {"cluster": f"CL{number}"} for number in range(MOST_CLUSTERS)},
        **({"vpc": PRIVATE_CLOUDS["berlin"]["vpc"]} if worker == "lambda" else {}),
    }
    build_application(outdir=str(tmp_path), context={"bundle": "host", "private_clouds": {"c" * 40: declared}}).synth()

    documents = [it["PolicyDocument"] for it in Template(tmp_path / "SkysagaClusters.template.json").properties(type_)]
    assert documents
    assert max(len(re.sub(r"\s", "", json.dumps(filled(it)))) for it in documents) <= longest


def filled(value: Any) -> Any:
    """A policy as IAM has it and counts it, without blanks: "IAM and STS quotas", user guide."""
    match value:
        case {"Fn::Join": _} | {"Ref": _} | {"Fn::GetAtt": _} | {"Fn::ImportValue": _}:
            return re.sub(r"{([^}]*)}", lambda it: LONGEST.get(it[1], ARN), text(value))
        case dict():
            return {key: filled(it) for key, it in value.items()}
        case list():
            return [filled(it) for it in value]
    return value
