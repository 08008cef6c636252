"""How each service's resources change, are replaced, refused and deleted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.local_aws.conftest import Account, open_account
from tests.unit.local_aws.everything import TEMPLATE, code, put_assets


@pytest.fixture(scope="module")
def changed() -> Any:
    """The account after `everything` was updated, with the ids from before and after."""
    with open_account() as account:
        put_assets(account.client("s3"))
        account.client("s3").put_object(Bucket="assets", Key="new.zip", Body=code("def handler(e, c): return 'new'"))
        cloudformation = account.client("cloudformation")
        cloudformation.create_stack(StackName="s", TemplateBody=TEMPLATE)
        before = account.resources("s")
        cloudformation.update_stack(StackName="s", TemplateBody=_changed(TEMPLATE))
        yield account, before, account.resources("s")


def _changed(template: str) -> str:
    changes = [
        ('VisibilityTimeout: "120"', "VisibilityTimeout: 90"),
        ('MemorySize: "256"', "MemorySize: 512"),
        ("COUNT: 3", "COUNT: 4"),
        ("TracingConfig: {Mode: Active}\n", "Description: changed\n"),
        ("Code: {S3Bucket: assets, S3Key: code.zip}", "Code: {S3Bucket: assets, S3Key: new.zip}"),
        ("Properties: {FunctionName: !Ref Function}", "Properties: {FunctionName: !Ref Function, Description: second}"),
        ("Level: ALL", "Level: ERROR"),
        ("RetentionInDays: 14", "RetentionInDays: 30"),
        ("rate(1 hour)", "rate(2 hours)"),
        ("Id: Rescue", "Id: Other"),
        ("RouteKey: POST /sagas", "RouteKey: PUT /sagas"),
        ("ThrottlingBurstLimit: 5", "ThrottlingBurstLimit: 6"),
        ("Threshold: 0", "Threshold: 7"),
        ("AttributeName: expires, Enabled: true", "AttributeName: expires, Enabled: false"),
        ("IndexName: by-owner", "IndexName: owners"),
        ("PolicyName: inline", "PolicyName: renamed"),
        ("Principal: apigateway.amazonaws.com", "Principal: events.amazonaws.com"),
        ("DisplayName: alarms", "DisplayName: calls"),
        ("Name: sagas, ProtocolType", "Name: renamed, ProtocolType"),
        ("ExpirationInDays: 30", "ExpirationInDays: 31"),
        ("BatchSize: 10", "BatchSize: 5"),
        ('      ScalingConfig: {MaximumConcurrency: "4"}\n', ""),
    ]
    for old, new in changes:
        assert old in template, old
        template = template.replace(old, new)
    return template


def test_the_update_is_complete(changed: Any) -> None:
    account, _, _ = changed
    (stack,) = account.client("cloudformation").describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack.get("StackStatusReason")


def test_only_what_must_be_is_replaced(changed: Any) -> None:
    _, before, after = changed
    replaced = {name for name in before if before[name] != after[name]}
    assert replaced == {"AliasPermission", "MachineVersion", "SchedulePermission", "Version"}


def test_a_function_changes_code_and_configuration(changed: Any) -> None:
    account, _, after = changed
    lambda_ = account.client("lambda")
    latest = lambda_.get_function_configuration(FunctionName=after["Function"])
    assert (latest["MemorySize"], latest["Description"]) == (512, "changed")
    assert latest["TracingConfig"] == {"Mode": "PassThrough"}, "what is no longer said goes back to the default"
    assert latest["LoggingConfig"]["LogFormat"] == "JSON"
    published = lambda_.get_function_configuration(FunctionName=after["Function"], Qualifier="2")
    assert published["CodeSha256"] == latest["CodeSha256"]
    assert lambda_.get_alias(FunctionName=after["Function"], Name="live")["FunctionVersion"] == "2"
    statements = json.loads(lambda_.get_policy(FunctionName=after["Function"], Qualifier="live")["Policy"])["Statement"]
    (statement,) = (each for each in statements if each["Sid"] == after["AliasPermission"])
    assert statement["Principal"]["Service"] == "events.amazonaws.com"


def test_a_mapping_stays_on_its_alias(changed: Any) -> None:
    account, _, after = changed
    mapping = account.client("lambda").get_event_source_mapping(UUID=after["Mapping"])
    assert (mapping["FunctionArn"], mapping["BatchSize"]) == (after["Alias"], 5)
    assert mapping["ScalingConfig"] == {}, "what is no longer said goes back to the default"


def test_a_table_changes_its_indexes_and_expiry(changed: Any) -> None:
    account, _, after = changed
    dynamodb = account.client("dynamodb")
    table = dynamodb.describe_table(TableName=after["Table"])["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["owners"]
    expiry = dynamodb.describe_time_to_live(TableName=after["Table"])["TimeToLiveDescription"]
    assert expiry["TimeToLiveStatus"] == "DISABLED"


def test_a_changed_machine_is_published_and_routed_to(changed: Any) -> None:
    account, _, after = changed
    assert account.stepfunctions.machines[after["Machine"]]["loggingConfiguration"]["level"] == "ERROR"
    assert after["MachineVersion"] == f"{after['Machine']}:2"
    route = account.stepfunctions.aliases[after["MachineAlias"]]["routingConfiguration"][0]
    assert route["stateMachineVersionArn"] == after["MachineVersion"]


def test_the_rest_changes_in_place(changed: Any) -> None:
    account, _, after = changed
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=after["Queue"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "90"
    (group,) = account.client("logs").describe_log_groups(logGroupNamePrefix=after["Logs"])["logGroups"]
    assert group["retentionInDays"] == 30
    schedule = account.client("scheduler").get_schedule(Name=after["Schedule"], GroupName="hourly")
    assert schedule["ScheduleExpression"] == "rate(2 hours)"
    targets = account.client("events").list_targets_by_rule(Rule=after["Rule"])["Targets"]
    assert [target["Id"] for target in targets] == ["Other"]
    (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=[after["Alarm"]])["MetricAlarms"]
    assert alarm["Threshold"] == 7
    policies = account.client("iam").list_role_policies(RoleName=after["Role"])["PolicyNames"]
    assert sorted(policies) == ["own", "renamed"]
    topic = account.client("sns").get_topic_attributes(TopicArn=after["Topic"])["Attributes"]
    assert topic["DisplayName"] == "calls"
    rule, _ = account.client("s3").get_bucket_lifecycle_configuration(Bucket=after["Bucket"])["Rules"]
    assert rule["Expiration"]["Days"] == 31


def test_an_http_api_changes_in_place(changed: Any) -> None:
    account, _, after = changed
    gateway, api = account.client("apigatewayv2"), {"ApiId": after["Api"]}
    assert gateway.get_api(**api)["Name"] == "renamed"
    route = gateway.get_route(**api, RouteId=after["Route"])
    assert (route["RouteKey"], route["AuthorizationType"]) == ("PUT /sagas", "AWS_IAM")
    stage = gateway.get_stage(**api, StageName="$default")
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 6


def test_a_bucket_that_holds_something_cannot_be_deleted(account: Account) -> None:
    body = json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full"}}}})
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=body)
    account.client("s3").put_object(Bucket="full", Key="k", Body=b"v")
    cloudformation.delete_stack(StackName="s")
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"


def test_everything_goes_and_nothing_is_left_but_what_is_retained(account: Account) -> None:
    put_assets(account.client("s3"))
    cloudformation = account.client("cloudformation")
    cloudformation.create_stack(StackName="s", TemplateBody=TEMPLATE)
    ids = account.resources("s")
    cloudformation.delete_stack(StackName="s")
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="s")
    assert account.client("lambda").list_functions()["Functions"] == []
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.client("sqs").list_queues().get("QueueUrls", []) == []
    assert account.client("iam").list_roles()["Roles"] == []
    assert account.client("apigatewayv2").get_apis()["Items"] == []
    assert [b["Name"] for b in account.client("s3").list_buckets()["Buckets"]] == ["assets"]
    assert account.stepfunctions.machines == {}
    groups = account.client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == [ids["Logs"]]
