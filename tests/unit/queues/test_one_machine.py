"""One machine: a state machine sends a task to a deployed queue, and the function mapped to it ends the task."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.aws.clients import create_client
from local.machine import REGION, Machine, Ports

WORKER = """
import json, boto3

def handler(event, context):
    states = boto3.client("stepfunctions")
    for record in event["Records"]:
        task = json.loads(record["body"])
        states.send_task_heartbeat(taskToken=task["token"])
        states.send_task_success(taskToken=task["token"], output=json.dumps({"by": context.invoked_function_arn}))
"""
TEMPLATE = {
    "Resources": {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
        "Worker": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"ZipFile": WORKER},
                "Handler": "index.handler",
                "Runtime": "python3.11",
                "Timeout": 30,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Worker"}}},
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Worker"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Live"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "BatchSize": 1,
                "ScalingConfig": {"MaximumConcurrency": 2},
            },
        },
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "DefinitionString": json.dumps(
                    {
                        "StartAt": "Work",
                        "States": {
                            "Work": {
                                "Type": "Task",
                                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                                "Parameters": {
                                    "QueueUrl.$": "$.queue",
                                    "MessageBody": {"token.$": "$$.Task.Token"},
                                },
                                "HeartbeatSeconds": 30,
                                "TimeoutSeconds": 60,
                                "End": True,
                            }
                        },
                    }
                ),
            },
        },
    },
    "Outputs": {name: {"Value": {"Ref": name}} for name in ("Queue", "Live", "Mapping", "Machine")},
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(Ports(), state=tmp_path_factory.mktemp("machine"))
    machine.run("https://none.execute-api.us-east-1.amazonaws.com")
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def outputs(machine: Machine) -> dict[str, str]:
    stacks = create_client("cloudformation", machine.aws, REGION)
    stacks.create_stack(StackName="cluster", TemplateBody=json.dumps(TEMPLATE))
    (stack,) = stacks.describe_stacks(StackName="cluster")["Stacks"]
    return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}


def run(machine: Machine, outputs: dict[str, str], queue: str) -> Any:
    states = create_client("stepfunctions", machine.aws, REGION)
    arn = states.start_execution(stateMachineArn=outputs["Machine"], input=json.dumps({"queue": queue}))["executionArn"]
    return lambda: states.describe_execution(executionArn=arn)


def ended(execution: Any) -> Any:
    deadline = time.monotonic() + 20
    while (found := execution())["status"] == "RUNNING":
        assert time.monotonic() < deadline, "it runs on"
        time.sleep(0.02)
    return found


def test_a_task_goes_through_the_queue_to_the_mapped_function_and_back(
    machine: Machine, outputs: dict[str, str]
) -> None:
    found = ended(run(machine, outputs, outputs["Queue"]))
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"by": outputs["Live"]})


def test_an_agent_outside_takes_and_ends_what_no_function_is_mapped_to(
    machine: Machine, outputs: dict[str, str]
) -> None:
    sqs, states = (create_client(service, machine.aws, REGION) for service in ("sqs", "stepfunctions"))
    url = sqs.create_queue(QueueName="agents")["QueueUrl"]
    execution = run(machine, outputs, url)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    states.send_task_success(taskToken=json.loads(message["Body"])["token"], output='"agent"')
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert json.loads(ended(execution)["output"]) == "agent"
