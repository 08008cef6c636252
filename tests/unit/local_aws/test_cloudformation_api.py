"""CloudFormation as its clients see it: boto3 here, the CDK's command line in effect."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.local_aws.conftest import Account


def body(visibility: int = 30, /, **more: Any) -> str:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": visibility}}
    return json.dumps({"Description": "one queue", "Resources": {"Q": queue}, **more})


@pytest.fixture
def cloudformation(account: Account) -> Any:
    return account.client("cloudformation")


def refused(call: Any, **parameters: Any) -> Any:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]


def change_set(cloudformation: Any, kind: str, template: str, name: str = "s", **more: Any) -> Any:
    cloudformation.create_change_set(
        StackName=name, ChangeSetName="c", ChangeSetType=kind, TemplateBody=template, **more
    )
    return cloudformation.describe_change_set(StackName=name, ChangeSetName="c")


def test_a_stack_is_described_with_what_it_was_given(cloudformation: Any, account: Account) -> None:
    secret: dict[str, Any] = {
        "Parameters": {"Word": {"Type": "String", "NoEcho": True}, "Kept": {"Type": "String", "Default": "k"}}
    }
    made = cloudformation.create_stack(
        StackName="s",
        TemplateBody=body(30, **secret),
        Parameters=[{"ParameterKey": "Word", "ParameterValue": "hush"}],
        Tags=[{"Key": "team", "Value": "payments"}],
        Capabilities=["CAPABILITY_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackId"] == made["StackId"]
    assert (stack["StackStatus"], stack["Description"]) == ("CREATE_COMPLETE", "one queue")
    shown = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert shown == {"Word": "****", "Kept": "k"}
    assert (stack["Tags"], stack["Capabilities"]) == ([{"Key": "team", "Value": "payments"}], ["CAPABILITY_IAM"])
    assert stack["CreationTime"] == datetime.fromtimestamp(account.clock.now(), UTC)


def test_a_stack_that_is_not_there_is_a_validation_error(cloudformation: Any) -> None:
    error = refused(cloudformation.describe_stacks, StackName="nobody")
    assert (error["Code"], error["Message"]) == ("ValidationError", "Stack with id nobody does not exist")


def test_events_tell_the_story_backwards(cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="s", TemplateBody=body())
    events = cloudformation.describe_stack_events(StackName="s")["StackEvents"]
    assert [(event["LogicalResourceId"], event["ResourceStatus"]) for event in reversed(events)] == [
        ("s", "CREATE_IN_PROGRESS"),
        ("Q", "CREATE_IN_PROGRESS"),
        ("Q", "CREATE_COMPLETE"),
        ("s", "CREATE_COMPLETE"),
    ]


def test_a_change_set_creates_a_stack_with_its_outputs_and_exports(cloudformation: Any, account: Account) -> None:
    outputs = {"Outputs": {"Url": {"Value": {"Ref": "Q"}, "Export": {"Name": "url"}}}}
    described = change_set(cloudformation, "CREATE", body(30, **outputs))
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    (change,) = described["Changes"]
    assert change["ResourceChange"]["Action"] == "Add"
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    cloudformation.execute_change_set(StackName="s", ChangeSetName="c")
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"] == account.resources("s")["Q"]
    assert cloudformation.list_exports()["Exports"][0]["Name"] == "url"


def test_a_change_set_updates_with_previous_values(cloudformation: Any) -> None:
    parameters = {"Parameters": {"Word": {"Type": "String"}}}
    given = [{"ParameterKey": "Word", "ParameterValue": "w"}]
    cloudformation.create_stack(StackName="s", TemplateBody=body(30, **parameters), Parameters=given)
    kept = [{"ParameterKey": "Word", "UsePreviousValue": True}]
    described = change_set(cloudformation, "UPDATE", body(60, **parameters), Parameters=kept)
    assert described["Changes"][0]["ResourceChange"]["Replacement"] == "False"
    cloudformation.execute_change_set(StackName="s", ChangeSetName="c")
    (stack,) = cloudformation.describe_stacks(StackName="s")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stack["Parameters"] == [{"ParameterKey": "Word", "ParameterValue": "w"}]


def test_an_empty_change_set_says_so_in_the_words_the_cdk_looks_for(cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="s", TemplateBody=body())
    described = change_set(cloudformation, "UPDATE", body())
    assert described["Status"] == "FAILED"
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")
    error = refused(cloudformation.execute_change_set, StackName="s", ChangeSetName="c")
    assert error["Code"] == "InvalidChangeSetStatus"


def test_a_missing_change_set_is_not_found_but_may_be_deleted(cloudformation: Any) -> None:
    cloudformation.create_stack(StackName="s", TemplateBody=body())
    error = refused(cloudformation.describe_change_set, StackName="s", ChangeSetName="c")
    assert error["Code"] == "ChangeSetNotFound"
    cloudformation.delete_change_set(StackName="s", ChangeSetName="c")


def test_an_unsupported_type_is_refused_when_the_change_set_is_made(cloudformation: Any) -> None:
    template = json.dumps({"Resources": {"D": {"Type": "AWS::Neptune::DBCluster"}}})
    parameters = {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": template}
    assert "AWS::Neptune::DBCluster" in refused(cloudformation.create_change_set, **parameters)["Message"]
    assert refused(cloudformation.describe_stacks, StackName="s")["Code"] == "ValidationError"


@pytest.mark.parametrize(
    "url",
    [
        "{endpoint}/templates/t.json",
        "https://s3.us-east-1.amazonaws.com/templates/t.json",
        "https://templates.s3.us-east-1.amazonaws.com/t.json",
    ],
)
def test_a_template_can_be_given_by_its_address(cloudformation: Any, account: Account, url: str) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="t.json", Body=body())
    cloudformation.create_stack(StackName="s", TemplateURL=url.format(endpoint=account.url))
    assert json.loads(body()) == cloudformation.get_template(StackName="s")["TemplateBody"]


def test_a_deleted_stack_is_described_by_its_id_only(cloudformation: Any) -> None:
    stack_id = cloudformation.create_stack(StackName="s", TemplateBody=body())["StackId"]
    cloudformation.delete_stack(StackName="s")
    assert refused(cloudformation.describe_stacks, StackName="s")["Code"] == "ValidationError"
    (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    assert stack["StackStatus"] == "DELETE_COMPLETE"
    assert cloudformation.describe_stacks()["Stacks"] == []
    summaries = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert [summary["StackName"] for summary in summaries] == ["s"]


def test_templates_are_summarized_and_validated(cloudformation: Any) -> None:
    template = body(Parameters={"Word": {"Type": "String", "Default": "w"}})
    summary = cloudformation.get_template_summary(TemplateBody=template)
    assert summary["ResourceTypes"] == ["AWS::SQS::Queue"]
    assert summary["Parameters"][0]["DefaultValue"] == "w"
    assert cloudformation.validate_template(TemplateBody=template)["Description"] == "one queue"
    assert refused(cloudformation.validate_template, TemplateBody="{}")["Code"] == "ValidationError"


def test_stacks_of_one_name_live_in_different_regions(cloudformation: Any, account: Account) -> None:
    elsewhere = account.client("cloudformation", "eu-west-1")
    cloudformation.create_stack(StackName="s", TemplateBody=body())
    elsewhere.create_stack(StackName="s", TemplateBody=body())
    arn = elsewhere.describe_stacks(StackName="s")["Stacks"][0]["StackId"]
    assert arn.startswith("arn:aws:cloudformation:eu-west-1:123456789012:stack/s/")
    assert len(account.client("sqs", "eu-west-1").list_queues()["QueueUrls"]) == 1


def test_dynamic_references_are_resolved_and_a_missing_one_fails_the_stack(
    cloudformation: Any, account: Account
) -> None:
    account.client("ssm").put_parameter(Name="/visibility", Value="77", Type="String")
    secret = json.dumps({"name": "from-a-secret"})
    account.client("secretsmanager").create_secret(Name="word", SecretString=secret)
    reference = "{{resolve:secretsmanager:word:SecretString:name}}"
    queue = {"QueueName": reference, "VisibilityTimeout": "{{resolve:ssm:/visibility}}"}
    template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": queue}}}
    cloudformation.create_stack(StackName="s", TemplateBody=json.dumps(template))
    url = account.resources("s")["Q"]
    assert url.endswith("/from-a-secret")
    attributes = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert attributes["Attributes"] == {"VisibilityTimeout": "77"}
    missing = {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "{{resolve:ssm:/nowhere}}"}}}
    cloudformation.create_stack(StackName="t", TemplateBody=json.dumps({"Resources": missing}))
    (stack,) = cloudformation.describe_stacks(StackName="t")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Could not resolve ssm:/nowhere" in stack["StackStatusReason"]
