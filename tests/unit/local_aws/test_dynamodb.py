"""DynamoDB in trouble: it refuses in its own words, and the ledger loses nothing and writes nothing twice."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.errors import RetryableError
from lambdas.core.plan import plan_saga
from lambdas.core.ports.ledger import IdempotencyKey
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus, SagaStatus
from tests.contract.test_ledger_contract import TABLE, create_table
from tests.fakes.documents import aws_disk, request_document
from tests.unit.local_aws.conftest import Account
from tests.whole import whole

SAGA = "s0test0000000001"
WRITERS = 4
WRITES = 6
KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
PUT = [{"Put": {"TableName": TABLE, "Item": KEY, "ConditionExpression": "attribute_not_exists(pk)"}}]


@pytest.fixture
def dynamodb(account: Account) -> Any:
    client = account.client("dynamodb")
    create_table(client)
    return client


def arm(account: Account, *faults: dict[str, Any]) -> requests.Response:
    return requests.post(f"{account.url}/_simulator/dynamodb/faults", json=list(faults), timeout=10)


def there(dynamodb: Any) -> bool:
    return "Item" in dynamodb.get_item(TableName=TABLE, Key=KEY)


@pytest.mark.parametrize(
    ("fault", "code", "refusal", "status"),
    [
        ("throttle", None, "ThrottlingException", 400),
        ("throttle", "ProvisionedThroughputExceededException", "ProvisionedThroughputExceededException", 400),
        ("throttle", "RequestLimitExceeded", "RequestLimitExceeded", 400),
        ("error", None, "InternalServerError", 500),
        ("error", "TransactionConflict", "TransactionCanceledException", 400),
    ],
)
def test_it_refuses_in_its_own_words_before_any_effect(
    account: Account, dynamodb: Any, fault: str, code: str | None, refusal: str, status: int
) -> None:
    arm(account, {"operation": "TransactWriteItems", "fault": fault, "code": code}).raise_for_status()
    with pytest.raises(ClientError) as error:
        dynamodb.transact_write_items(TransactItems=PUT)
    response = error.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (refusal, status)
    assert [it["Code"] for it in response.get("CancellationReasons", [])] == ([code] if "Canceled" in refusal else [])
    assert not there(dynamodb)
    (struck,) = requests.get(f"{account.url}/_simulator/dynamodb/log", timeout=10).json()
    assert (struck["operation"], struck["fault"]) == ("TransactWriteItems", fault)


def test_a_transaction_whose_reply_was_lost_is_not_written_again_under_its_token(
    account: Account, dynamodb: Any
) -> None:
    token = str(uuid.uuid4())
    arm(account, {"operation": "TransactWriteItems", "fault": "lost"})
    with pytest.raises(ConnectionClosedError):
        dynamodb.transact_write_items(TransactItems=PUT, ClientRequestToken=token)
    assert there(dynamodb)
    dynamodb.transact_write_items(TransactItems=PUT, ClientRequestToken=token)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.transact_write_items(TransactItems=PUT)
    other = [{"Put": {"TableName": TABLE, "Item": {**KEY, "n": {"N": "1"}}}}]
    with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
        dynamodb.transact_write_items(TransactItems=other, ClientRequestToken=token)


@pytest.mark.parametrize("fault", [{"fault": "capacity"}, {"fault": "throttle", "code": "Whatever"}])
def test_what_it_cannot_play_is_refused_with_what_it_can(account: Account, fault: dict[str, str]) -> None:
    refused = arm(account, {"operation": "*", **fault})
    assert refused.status_code == 400
    assert "TransactionConflict" in refused.json()["message"]
    assert "late" in refused.json()["message"]


@pytest.mark.parametrize("trouble", ["refused", "unanswered"])
def test_a_ledger_in_trouble_writes_each_change_once_and_numbers_events_without_a_gap(
    account: Account, dynamodb: Any, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": account.url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    # The SDK repeats most refusals itself, after pauses; without that every one of them reaches the ledger.
    client = dynamodb if trouble == "refused" else clients.dynamodb()
    ledger = DynamoLedger(client, TABLE, SystemClock())
    names = [f"disk-{number}" for number in range(WRITERS)]
    plan = plan_saga(parse_request(request_document(*map(aws_disk, names))), SAGA, "tester", SystemClock().now())
    arm(account, *TROUBLE[trouble]).raise_for_status()

    repeat(lambda: ledger.open(plan.saga, plan.resources, IdempotencyKey("tester", "key", "digest")))
    repeat(lambda: ledger.change_saga(SAGA, lambda it: it.saga.model_copy(update={"status": SagaStatus.PROVISIONING})))
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(lambda name: write_all(ledger, name), names))
    requests.delete(f"{account.url}/_simulator/dynamodb/faults", timeout=10)

    events = ledger.events(SAGA)
    assert [it.seq for it in events] == list(range(1, ledger.saga(SAGA).version + 1))
    written = Counter((it.resource_id, it.message) for it in events if it.resource_id)
    assert written == Counter({(name, str(number)): 1 for name in names for number in range(WRITES)})
    assert {it.error for it in whole(ledger, SAGA).resources} == {str(WRITES - 1)}
    struck = requests.get(f"{account.url}/_simulator/dynamodb/log", timeout=10).json()
    assert {it["code"] or it["fault"] for it in struck} >= {it.get("code") or it["fault"] for it in TROUBLE[trouble]}


TROUBLE: dict[str, list[dict[str, Any]]] = {
    "refused": [
        {"operation": "*", "fault": "throttle", "code": code, "probability": 0.04, "times": None, "seed": seed}
        for seed, code in enumerate(
            ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"]
        )
    ]
    + [{"operation": "*", "fault": "error", "code": "InternalServerError", "probability": 0.04, "times": None}]
    + [
        {"operation": "Transact*", "fault": "throttle", "code": code, "probability": 0.1, "times": None, "seed": seed}
        for seed, code in enumerate(["TransactionConflict", "ThrottlingError"])
    ],
    "unanswered": [
        {"operation": "*", "fault": fault, "probability": 0.08, "times": None, "delay": 0.05, "seed": seed}
        for seed, fault in enumerate(["lost", "late", "twice", "refuse"])
    ],
}


def write_all(ledger: DynamoLedger, name: str) -> None:
    for number in range(WRITES):
        update = {"status": ResourceStatus.CREATING, "error": str(number)}

        def change(_: Any, resource: Any, update: dict[str, Any] = update) -> Any:
            return resource.model_copy(update=update)

        repeat(lambda number=number, change=change: ledger.change_resource(SAGA, name, change, str(number)))


def repeat(step: Any) -> None:
    """As a state machine repeats a step."""
    for _ in range(20):
        try:
            step()
        except RetryableError:
            continue
        return
    raise AssertionError("refused twenty times over")
