"""Who can be called, and when the pump is told that something has changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from werkzeug.test import EnvironBuilder

from local.event_pump import Target
from local.event_pump.targets import LocalTargets
from local.event_pump.watching import Watching

ACCOUNT = "us-east-1:123456789012"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    with mock_aws():
        yield


def client(service: str) -> Any:
    session: Any = boto3.Session(region_name="us-east-1")
    return session.client(service)


def targets(told: list[tuple[str, str, str]]) -> LocalTargets:
    return LocalTargets(
        lambda arn, text: told.append(("start", arn, text)),
        lambda arn, text: told.append(("invoke", arn, text)),
        client,
    )


def test_state_machines_and_functions_are_called_directly() -> None:
    told: list[tuple[str, str, str]] = []
    machine, function = f"arn:aws:states:{ACCOUNT}:stateMachine:m:live", f"arn:aws:lambda:{ACCOUNT}:function:f:1"
    targets(told).call(Target(machine), "{}")
    targets(told).call(Target(function), "[]")
    assert told == [("start", machine, "{}"), ("invoke", function, "[]")]


def test_a_queue_gets_a_message_whether_sent_or_published() -> None:
    sqs, sns = client("sqs"), client("sns")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    queue = f"arn:aws:sqs:{ACCOUNT}:q"
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    for arn, text in ((queue, "sent"), (topic, "published")):
        targets([]).check(Target(arn))
        targets([]).call(Target(arn), text)
    bodies = [it["Body"] for it in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]]
    assert sorted(bodies) == ["published", "sent"]


@pytest.mark.parametrize(
    ("method", "service", "operation", "told"),
    [
        ("POST", "events", "AWSEvents.PutRule", True),
        ("POST", "events", "AWSEvents.PutTargets", True),
        ("POST", "events", "AWSEvents.ListRules", False),
        ("POST", "scheduler", "", True),
        ("DELETE", "scheduler", "", True),
        ("GET", "scheduler", "", False),
        ("POST", "sqs", "AmazonSQS.SendMessage", True),
        ("POST", "sqs", "AmazonSQS.GetQueueUrl", False),
        ("POST", "dynamodb", "DynamoDB_20120810.PutItem", False),
    ],
)
def test_whoever_watches_a_service_is_told_of_requests_that_may_change_what_it_holds(
    method: str, service: str, operation: str, told: bool
) -> None:
    changes: list[str] = []

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        changes.append("answered")
        start_response("200 OK", [])
        return [b""]

    credential = f"AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/{service}/aws4_request"
    headers = [("Authorization", credential), ("X-Amz-Target", operation)]
    watching = Watching(app, ("events", "scheduler", "sqs"), lambda: changes.append("told"))
    list(watching(EnvironBuilder(method=method, headers=headers).get_environ(), lambda *_: lambda _: None))
    assert changes == ["answered", *(["told"] if told else [])]
