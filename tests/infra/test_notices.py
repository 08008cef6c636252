"""Who is told what happens: the stream's function, the topic, and what a webhook is made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.declaration import BadDeclaration
from infra.webhooks import ENDINGS, Webhooks
from local.event_pump.patterns import compile_pattern
from tests.infra.template import Template

CHAT = {"url": "https://hooks.example/in?key=1", "events": ["saga.ended", "saga.changed", "resource.changed"]}


def one(template: Template, kind: str, **wanted: Any) -> dict[str, Any]:
    """The properties of the one resource of a type that has these."""
    (found,) = [it for it in template.properties(kind) if all(it.get(name) == value for name, value in wanted.items())]
    return found


def text(value: object) -> str:
    return json.dumps(value)


def statements(template: Template, sid: str) -> list[dict[str, Any]]:
    policies = template.properties("AWS::IAM::Policy")
    found = [statement for it in policies for statement in it["PolicyDocument"]["Statement"]]
    return [it for it in found if it.get("Sid") == sid]


def test_the_stream_hands_over_headers_and_resources_with_what_they_were(data: Template, notices: Template) -> None:
    streams = [
        it["StreamSpecification"] for it in data.properties("AWS::DynamoDB::Table") if "StreamSpecification" in it
    ]
    assert streams == [{"StreamViewType": "NEW_AND_OLD_IMAGES"}]
    mapping = one(notices, "AWS::Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumBatchingWindowInSeconds"] == 1
    assert "ParallelizationFactor" not in mapping
    (pattern,) = [json.loads(it["Pattern"]) for it in mapping["FilterCriteria"]["Filters"]]
    test = compile_pattern(pattern)

    def record(key: str, event: str = "MODIFY") -> dict[str, Any]:
        return {"eventName": event, "dynamodb": {"Keys": {"pk": {"S": "s-1"}, "sk": {"S": key}}}}

    assert test(record("HEADER"))
    assert test(record("RESOURCE#web", "INSERT"))
    assert not test(record("EVENT#000000000001", "INSERT"))
    assert not test(record("KEY", "INSERT"))
    assert not test(record("HEADER", "REMOVE"))


def test_what_cannot_be_told_is_tried_for_a_bounded_time_and_then_lies_in_a_queue_with_an_alarm(
    notices: Template,
) -> None:
    mapping = one(notices, "AWS::Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    assert 0 < mapping["MaximumRetryAttempts"] < 1000
    assert 3600 <= mapping["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert "Lost" in text(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    for name in ("skysaga-announcements-lost", "skysaga-announcements-late"):
        assert one(notices, "AWS::CloudWatch::Alarm", AlarmName=name)["AlarmActions"]


def test_the_announcer_reads_and_tells_and_writes_nothing(notices: Template) -> None:
    (ledger,) = statements(notices, "Ledger")
    assert sorted(ledger["Action"]) == ["dynamodb:GetItem", "dynamodb:Query"]
    (tell,) = statements(notices, "TellOfSagas")
    assert tell["Action"] == "events:PutEvents"
    assert tell["Condition"] == {"StringEquals": {"events:source": "skysaga"}}
    (stream,) = statements(notices, "LedgerStream")
    assert set(stream["Action"]) == {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}


def test_endings_go_to_an_encrypted_topic_in_words(notices: Template) -> None:
    topic = one(notices, "AWS::SNS::Topic", TopicName="skysaga-notices")
    assert "OperationsKey" in text(topic["KmsMasterKeyId"])
    rule = one(notices, "AWS::Events::Rule", Name="skysaga-notices")
    assert rule["EventPattern"]["detail"] == {"status": list(ENDINGS)}
    (target,) = rule["Targets"]
    transformer = target["InputTransformer"]
    message = json.loads(transformer["InputTemplate"])
    for name in transformer["InputPathsMap"]:
        assert f"<{name}>" in message
    assert target["RoleArn"]


def test_a_webhook_has_a_queue_that_keeps_trying_for_hours_and_then_an_alarm(notices: Template) -> None:
    queue = one(notices, "AWS::SQS::Queue", QueueName="skysaga-webhook-chat")
    assert "OperationsKey" in text(queue["KmsMasterKeyId"])
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 14
    assert one(notices, "AWS::SQS::Queue", QueueName="skysaga-webhook-chat-dead")
    assert one(notices, "AWS::CloudWatch::Alarm", AlarmName="skysaga-webhook-chat-given-up")["AlarmActions"]
    function = one(notices, "AWS::Lambda::Function", FunctionName="skysaga-webhook")
    assert queue["VisibilityTimeout"] >= function["Timeout"]
    assert json.loads(function["Environment"]["Variables"]["WEBHOOKS"])["chat"].startswith("https://")


def test_its_secret_is_made_by_the_deployment_and_is_base64_of_enough_bytes(notices: Template) -> None:
    secret = one(notices, "AWS::SecretsManager::Secret", Name="skysaga/webhooks/chat")
    how = secret["GenerateSecretString"]
    assert how["ExcludePunctuation"] is True
    assert how["PasswordLength"] % 4 == 0
    assert 24 <= how["PasswordLength"] // 4 * 3 <= 64
    assert "OperationsKey" in text(secret["KmsKeyId"])
    (read,) = statements(notices, "Secret")
    assert "secret:skysaga/webhooks/" in text(read["Resource"])


@pytest.mark.parametrize(
    ("kind", "matching", "other"),
    [
        ("saga.ended", {"status": "ROLLED_BACK"}, {"status": "COMPENSATING"}),
        ("saga.changed", {"status": "COMPENSATING"}, {"status": "ROLLED_BACK"}),
    ],
)
def test_endings_and_other_changes_are_told_apart(kind: str, matching: dict[str, str], other: dict[str, str]) -> None:
    test = compile_pattern(Webhooks.parse({"w": {"url": "https://h.example/", "events": [kind]}}).by_name["w"].pattern)
    event = {"source": "skysaga", "detail-type": "Saga changed"}
    assert test({**event, "detail": matching})
    assert not test({**event, "detail": other})
    assert not test({**event, "source": "another", "detail": matching})


def test_labels_and_several_events_are_one_pattern() -> None:
    declared = {"w": {**CHAT, "labels": {"team": "payments", "stage": "live"}}}
    test = compile_pattern(Webhooks.parse(json.dumps(declared)).by_name["w"].pattern)
    ours = {"team": "payments", "stage": "live", "more": "x"}
    for kind, status in (("Saga changed", "COMMITTED"), ("Saga changed", "PENDING"), ("Resource changed", "READY")):
        event = {"source": "skysaga", "detail-type": kind}
        assert test({**event, "detail": {"status": status, "labels": ours}})
        assert not test({**event, "detail": {"status": status, "labels": {"team": "payments"}}})
    assert not test({"source": "skysaga", "detail-type": "Budget passed", "detail": {"labels": ours}})


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("{", "is not JSON"),
        ({"Chat": CHAT}, "webhooks.Chat"),
        ({"chat": {**CHAT, "url": "http://hooks.example/in"}}, "must be https"),
        ({"chat": {**CHAT, "url": "https://ann:KeptSecret@hooks.example/"}}, "a host, a path and a query"),
        ({"chat": {**CHAT, "events": []}}, "webhooks.chat.events"),
        ({"chat": {**CHAT, "events": ["saga.ended", "saga.ended"]}}, "each event once"),
        ({"chat": {**CHAT, "events": ["saga.begun"]}}, "'saga.ended'"),
        ({"chat": {**CHAT, "labels": {"Team": "x"}}}, "webhooks.chat.labels"),
        ({"chat": {**CHAT, "secret": "mine"}}, "webhooks.chat.secret"),
        ({"chat": {**CHAT, "events": ["budget.passed"], "labels": {"team": "x"}}}, "declare another webhook"),
        ({f"w{number}": CHAT for number in range(21)}, "there may be 20"),
        ({f"w{number}": {"url": f"https://h.example/{'x' * 400}"} for number in range(9)}, "a function is told 3000"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_what_is_wrong(declared: object, said: str) -> None:
    with pytest.raises(BadDeclaration, match="webhooks") as refused:
        Webhooks.parse(declared)
    assert said in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/in", "http://localhost/in", "http://[::1]/in"])
def test_what_does_not_leave_the_machine_need_not_be_encrypted(url: str) -> None:
    assert Webhooks.parse({"chat": {"url": url}}).by_name["chat"].events == ("saga.ended",)
