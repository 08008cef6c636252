"""Those who are told what happens to sagas: queues on the bus and on the topic, and the receiver of a webhook."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.wrappers import Request, Response

from local.assembly import STATE, synthesize, synthesize_into
from local.aws.deployment import deploy
from local.http_server import serve
from tests.e2e.conftest import Deployment

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

PATIENCE_SECONDS = 60


class Posted(NamedTuple):
    """A request as a receiver got it, when, and what it answered."""

    at: float
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class Receiver:
    """Answers the first request of each delivery as `first` says, by its type and status, and takes every other."""

    first: Mapping[str, Response]
    posted: list[Posted] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data()
        with self.lock:
            known = {it.id for it in self.posted}
            status = json.loads(body)["data"]["status"]
            new = request.headers["webhook-id"] not in known
            answer = self.first.get(status, Response()) if new else Response(status=204)
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.posted.append(Posted(time.time(), headers, body, answer.status_code))
        return answer(environ, start_response)

    def of(self, status: str, saga: str) -> list[Posted]:
        """What it got of an ending of a saga."""
        documents = [(it, it.document["data"]) for it in list(self.posted)]
        return [it for it, data in documents if (data["status"], data["saga"]) == (status, saga)]


class Queue:
    """A queue, and everything that has arrived in it."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self._sqs = deployment.client("sqs")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        self._bodies: list[str] = []
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn: str = attributes["Attributes"]["QueueArn"]

    def bodies(self) -> list[str]:
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for it in messages:
                self._bodies.append(it["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=it["ReceiptHandle"])
        return self._bodies

    def delete(self) -> None:
        self._sqs.delete_queue(QueueUrl=self._url)


@contextmanager
def on_the_bus(deployment: Deployment, name: str) -> Iterator[Queue]:
    """A queue for all of our events of sagas and resources."""
    queue, events = Queue(deployment, name), deployment.client("events")
    pattern = {"source": ["skysaga"], "detail-type": ["Saga changed", "Resource changed"]}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": name, "Arn": queue.arn}])
    try:
        yield queue
    finally:
        events.remove_targets(Rule=name, Ids=[name])
        events.delete_rule(Name=name)
        queue.delete()


@contextmanager
def subscribed(deployment: Deployment, name: str) -> Iterator[Queue]:
    """A queue that is subscribed to the topic of endings."""
    queue, sns = Queue(deployment, name), deployment.client("sns")
    (topic,) = [it["TopicArn"] for it in sns.list_topics()["Topics"] if it["TopicArn"].endswith(":skysaga-notices")]
    found = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, ReturnSubscriptionArn=True)
    try:
        yield queue
    finally:
        sns.unsubscribe(SubscriptionArn=found["SubscriptionArn"])
        queue.delete()


@contextmanager
def webhook(deployment: Deployment, folder: Path, first: Mapping[str, Response], **declared: Any) -> Iterator[Receiver]:
    """A receiver, and the deployment with a webhook `test` that posts to it; afterwards it has none again."""
    receiver = Receiver(first)
    with serve(receiver, name="receiver") as server:
        declaration = {"test": {"url": f"{server.url}/hook", **declared}}
        synthesize_into(folder, {"bundle": "host", "webhooks": declaration})
        _deploy(deployment, folder)
        try:
            yield receiver
        finally:
            _deploy(deployment, synthesize())


def _deploy(deployment: Deployment, assembly: Path) -> None:
    deploy(assembly, deployment.endpoints.aws, cache_dir=STATE / "assets", only=["SkysagaNotices"])
