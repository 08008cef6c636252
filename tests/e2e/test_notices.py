"""What happens to a saga is told: on the bus, by the topic and to a webhook, whatever dies and is refused meanwhile.

The announcer is killed in the middle of a batch, again and again; the receiver refuses every delivery at first, and
wants to be left alone for a while once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from standardwebhooks import Webhook
from werkzeug.wrappers import Response

from local.assembly import ROOT
from local.simulators.faults import Fault, FaultKind
from tests.e2e import notices
from tests.e2e.conftest import Deployment
from tests.e2e.notices import Posted, Queue, Receiver
from tests.e2e.private import eventually

LABELS = {"team": "notices"}
LEFT_ALONE = 7
"""Longer than the first pause, which is five seconds at most."""

KILLED = 3
SECRET = "skysaga/webhooks/test"


class Told(NamedTuple):
    """A saga that was committed and destroyed, one that nobody wants to hear of, and those who were told."""

    saga: str
    unlabelled: str
    bus: Queue
    topic: Queue
    receiver: Receiver
    secrets: tuple[str, str]
    logs: Mapping[str, str]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What was told of the saga on the bus, each once."""
        found = [json.loads(it) for it in self.bus.bodies()]
        details = {it["detail"]["id"]: it["detail"] for it in found if it["detail-type"] == kind}
        return [it for it in details.values() if it["saga"] == self.saga]


@pytest.fixture(name="told", scope="module")
def _told(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("webhooks")
    first = {
        "COMMITTED": Response(status=500),
        "RELEASED": Response(status=503, headers={"Retry-After": str(LEFT_ALONE)}),
    }
    before = {path: path.stat().st_size for path in _logs(deployment)}
    with (
        notices.on_the_bus(deployment, "noticed") as bus,
        notices.subscribed(deployment, "subscribed") as topic,
        notices.webhook(deployment, folder, first, events=["saga.ended"], labels=LABELS) as receiver,
    ):
        secrets = _rotated(deployment)
        faults = deployment.machine.invocation_faults
        faults.arm([Fault(operation="skysaga-announce", fault=FaultKind.FAIL, times=KILLED, delay=0.005)])
        try:
            saga, unlabelled = _submit(deployment, LABELS), _submit(deployment, {})
            for it in (saga, unlabelled):
                assert deployment.wait(it)["status"] == "COMMITTED"
                deployment.destroy(it)
            eventually(lambda: _taken(receiver, "RELEASED", saga), "the webhook never took the release")
            eventually(lambda: _taken(receiver, "COMMITTED", saga), "the webhook never took the commit")
            eventually(lambda: any(unlabelled in it and "RELEASED" in it for it in topic.bodies()), "no notice came")
        finally:
            faults.disarm()
        logs = {path.name: path.read_bytes()[before.get(path, 0) :].decode() for path in _logs(deployment)}
        logs["traces"] = deployment.traces.text()
        yield Told(saga, unlabelled, bus, topic, receiver, secrets, logs)


def _logs(deployment: Deployment) -> list[Path]:
    return sorted(deployment.logs.glob("*.log"))


def _submit(deployment: Deployment, labels: Mapping[str, str]) -> str:
    spec = {"zone": "eu-west-1a", "size_gb": 1}
    disk = {"id": "data", "provider": "aws", "kind": "disk", "region": "eu-west-1", "spec": spec}
    document = {"name": "told", "labels": labels, "resources": [disk], "preflight": False}
    answer = deployment.api.submit(json.dumps(document).encode(), "application/json", str(uuid4()))
    return str(answer["id"])


def _rotated(deployment: Deployment) -> tuple[str, str]:
    """The secret that the deployment made, and the one that has taken its place."""
    secrets = deployment.client("secretsmanager")
    made = secrets.get_secret_value(SecretId=SECRET)["SecretString"]
    new = f"whsec_{secrets.get_random_password(PasswordLength=64, ExcludePunctuation=True)['RandomPassword']}"
    secrets.put_secret_value(SecretId=SECRET, SecretString=new)
    return made, new


def _taken(receiver: Receiver, status: str, saga: str) -> bool:
    return any(it.status < 300 for it in receiver.of(status, saga))


def test_every_change_of_a_saga_arrives_on_the_bus_in_order_though_the_announcer_was_killed(told: Told) -> None:
    assert told.logs["skysaga-announce.log"].count("signal: killed") == KILLED
    statuses = [it["status"] for it in told.events("Saga changed")]
    assert statuses == ["PENDING", "PROVISIONING", "COMMITTED", "RELEASING", "RELEASED"]
    assert [it["before"] for it in told.events("Saga changed")] == [None, *statuses[:-1]]


def test_every_change_of_a_resource_arrives_on_the_bus_in_order(told: Told) -> None:
    found = told.events("Resource changed")
    assert [it["status"] for it in found] == ["PLANNED", "CREATING", "READY", "DELETING", "ABSENT"]
    assert {(it["provider"], it["kind"], it["name"], it["labels"]["team"]) for it in found} == {
        ("aws", "disk", "told", "notices")
    }
    assert found[2]["cloud_id"].startswith("vol-")


@pytest.mark.parametrize("kind", ["Saga changed", "Resource changed"])
def test_events_are_as_their_schema_says(told: Told, kind: str) -> None:
    file = ROOT / "docs" / "events" / f"{kind.lower().replace(' ', '-')}.schema.json"
    found = [it for it in map(json.loads, told.bus.bodies()) if it["detail-type"] == kind]
    assert len(found) >= 5
    for event in found:
        jsonschema.validate(event, json.loads(file.read_text()))


def test_endings_are_told_by_the_topic_in_words(told: Told) -> None:
    messages = [json.loads(json.loads(it)["Message"]) for it in told.topic.bodies()]
    ours = [it for it in messages if told.saga in it]
    assert [it.split(".")[0] for it in dict.fromkeys(ours)] == [
        "skysaga: told is COMMITTED",
        "skysaga: told is RELEASED",
    ]


@pytest.mark.parametrize("status", ["COMMITTED", "RELEASED"])
def test_a_webhook_gets_each_ending_again_until_it_takes_it(told: Told, status: str) -> None:
    refused, *others = told.receiver.of(status, told.saga)
    assert refused.status >= 500
    assert {it.status for it in others} == {204}
    assert {it.id for it in others} == {refused.id}
    assert {it.body for it in others} == {refused.body}
    assert refused.document["type"] == "saga.ended"


def test_a_receiver_that_wants_to_be_left_alone_is_left_alone(told: Told) -> None:
    refused, again = told.receiver.of("RELEASED", told.saga)[:2]
    assert again.at - refused.at >= LEFT_ALONE - 0.1


def test_both_secrets_verify_what_is_signed_while_one_takes_the_place_of_the_other(told: Told) -> None:
    for posted in told.receiver.posted:
        for secret in told.secrets:
            assert Webhook(secret).verify(posted.body, dict(posted.headers))["data"]["saga"] == told.saga


def test_another_secret_does_not_verify_it(told: Told) -> None:
    posted: Posted = told.receiver.posted[0]
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + "A" * 64).verify(posted.body, dict(posted.headers))


def test_a_webhook_hears_of_no_saga_without_its_labels(told: Told) -> None:
    assert {it.document["data"]["saga"] for it in told.receiver.posted} == {told.saga}


def test_neither_secret_nor_url_is_in_any_log_or_trace(told: Told) -> None:
    assert '"delivered"' in told.logs["skysaga-webhook.log"]
    telltales = [*(it.removeprefix("whsec_") for it in told.secrets), "/hook"]
    assert [name for name, text in told.logs.items() if any(it in text for it in telltales)] == []


def test_what_has_ended_is_counted(told: Told) -> None:
    lines = told.logs["skysaga-announce.log"].splitlines()
    metrics = [json.loads(it) for it in lines if it.startswith('{"_aws"')]
    ended = [it["ending"] for it in metrics if "SagasEnded" in it]
    assert sorted(set(ended)) == ["COMMITTED", "RELEASED"]
    for name in ("TimeToReady", "TimeToRolledBack"):
        assert [it for it in metrics if name in it and it["provider"] == "aws" and it[name][0] > 0], name
