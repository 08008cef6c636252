"""What a private cluster is made of, one resource of each kind: deployed only where a deployment has such clusters."""

from __future__ import annotations

from typing import Any

ROLE = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
SEND = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


RESOURCES: dict[str, tuple[str, dict[str, Any]]] = {
    "Key": ("AWS::KMS::Key", {"KeyPolicy": SEND}),
    "Role": ("AWS::IAM::Role", ROLE),
    "Dead": ("AWS::SQS::Queue", {"KmsMasterKeyId": arn("Key"), "MessageRetentionPeriod": 1209600}),
    "Queue": (
        "AWS::SQS::Queue",
        {
            "KmsMasterKeyId": arn("Key"),
            "RedrivePolicy": {"deadLetterTargetArn": arn("Dead"), "maxReceiveCount": 5},
            "VisibilityTimeout": 900,
            "Tags": [{"Key": "cluster", "Value": "east"}],
        },
    ),
    "QueuePolicy": ("AWS::SQS::QueuePolicy", {"Queues": [{"Ref": "Queue"}], "PolicyDocument": SEND}),
    "Worker": (
        "AWS::Lambda::Function",
        {
            "Code": {"ZipFile": "def handler(event, context): return {}"},
            "Handler": "index.handler",
            "Runtime": "python3.11",
            "Role": arn("Role"),
            "Timeout": 900,
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        },
    ),
    "Version": ("AWS::Lambda::Version", {"FunctionName": {"Ref": "Worker"}}),
    "ToVersion": (
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 1,
            "EventSourceArn": arn("Queue"),
            "FunctionName": {"Ref": "Version"},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 4},
        },
    ),
    "ToFunction": (
        "AWS::Lambda::EventSourceMapping",
        {"Enabled": False, "EventSourceArn": arn("Queue"), "FunctionName": {"Ref": "Worker"}},
    ),
    "Rule": (
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(1 minute)",
            "State": "ENABLED",
            "Targets": [{"Id": "Target0", "Arn": {"Ref": "Version"}, "Input": '{"cluster":"east"}'}],
        },
    ),
    "MayCall": (
        "AWS::Lambda::Permission",
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Ref": "Version"},
            "Principal": "events.amazonaws.com",
            "SourceArn": arn("Rule"),
        },
    ),
    "Group": ("AWS::Scheduler::ScheduleGroup", {"Name": "clusters"}),
    "Schedule": (
        "AWS::Scheduler::Schedule",
        {
            "GroupName": {"Ref": "Group"},
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ScheduleExpression": "rate(1 minute)",
            "Target": {"Arn": {"Ref": "Version"}, "RoleArn": arn("Role"), "Input": '{"cluster":"east"}'},
        },
    ),
    "Login": (
        "AWS::SecretsManager::Secret",
        {
            "Description": "who we are to the cluster",
            "KmsKeyId": arn("Key"),
            "GenerateSecretString": {
                "GenerateStringKey": "password",
                "PasswordLength": 24,
                "SecretStringTemplate": '{"username": "skysaga"}',
            },
        },
    ),
    "Agent": (
        "AWS::IAM::ManagedPolicy",
        {"Description": "", "Path": "/", "PolicyDocument": SEND, "Roles": [{"Ref": "Role"}]},
    ),
    "Settings": (
        "AWS::SSM::Parameter",
        {"Name": "/skysaga/clusters/east", "Type": "String", "Value": {"Ref": "Queue"}, "Description": "a cluster"},
    ),
}
