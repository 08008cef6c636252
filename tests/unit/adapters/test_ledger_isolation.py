"""Two reads in a row may fall on either side of a transaction (DynamoDB's isolation levels): no update is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.model import Resource, Saga
from lambdas.core.plan import plan_saga
from lambdas.core.ports.ledger import IdempotencyKey, Standing
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.contract.test_ledger_contract import TABLE, create_table
from tests.fakes.clock import FakeClock
from tests.fakes.documents import aws_disk, request_document

SAGA = "s0test0000000001"


class LaggingClient:
    """A client that answers the first read of a resource with what stood there before the last write."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.lagging: dict[str, Any] | None = None

    def get_item(self, **request: Any) -> Any:
        answer = self._client.get_item(**request)
        if self.lagging is not None and request["Key"]["sk"]["S"].startswith("RESOURCE#"):
            answer, self.lagging = {**answer, "Item": self.lagging}, None
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[LaggingClient]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        plain = boto3.client("dynamodb", region_name="us-east-1")
        create_table(plain)
        yield LaggingClient(plain)


@pytest.fixture
def ledger(client: LaggingClient) -> DynamoLedger:
    clock = FakeClock()
    ledger = DynamoLedger(client, TABLE, clock, clock.advance)  # type: ignore[arg-type]  # stands in for the client
    plan = plan_saga(parse_request(request_document(aws_disk())), SAGA, "tester", clock.now())
    ledger.open(plan.saga, plan.resources, IdempotencyKey("tester", "key", "digest"))
    return ledger


def becoming(status: ResourceStatus, **changes: Any) -> Any:
    def change(_: Saga, resource: Resource) -> Resource:
        return resource.model_copy(update={"status": status, **changes})

    return change


def test_a_resource_read_before_a_write_and_a_header_read_after_it_do_not_make_a_write(
    ledger: DynamoLedger, client: LaggingClient
) -> None:
    key = {"pk": {"S": SAGA}, "sk": {"S": "RESOURCE#data-aws"}}
    planned = client.get_item(TableName=TABLE, Key=key)["Item"]
    ledger.change_resource(SAGA, "data-aws", becoming(ResourceStatus.CREATING))
    client.lagging = planned
    seen: list[ResourceStatus] = []

    def look(_: Saga, resource: Resource) -> Resource:
        seen.append(resource.status)
        return resource.model_copy(update={"error": "looked"})

    _, resource = ledger.change_resource(SAGA, "data-aws", look)
    assert seen == [ResourceStatus.PLANNED, ResourceStatus.CREATING]
    assert (resource.status, resource.error) == (ResourceStatus.CREATING, "looked")


def test_what_is_decided_on_all_resources_is_decided_on_one_moment(ledger: DynamoLedger, client: LaggingClient) -> None:
    calls: list[str] = []
    original = client._client.transact_get_items

    def transact_get_items(**request: Any) -> Any:
        calls.append("transact_get_items")
        return original(**request)

    client.transact_get_items = transact_get_items  # type: ignore[attr-defined]  # recorded on the way

    def decide(standing: Standing) -> Saga:
        return standing.saga.model_copy(update={"status": SagaStatus.PROVISIONING})

    ledger.change_saga(SAGA, decide)
    assert calls == ["transact_get_items"]
