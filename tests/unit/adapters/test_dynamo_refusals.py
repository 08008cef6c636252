"""What DynamoDB refuses, as the ledger passes it on, and how it pages and retries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.client
import botocore.config
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.errors import RetryableError, SagaNotFound
from lambdas.core.model import Saga
from lambdas.core.plan import plan_saga
from lambdas.core.ports.ledger import IdempotencyKey, Standing
from lambdas.core.request import parse_request
from lambdas.core.states import SagaStatus
from tests.fakes.clock import START, FakeClock
from tests.fakes.documents import aws_disk, request_document
from tests.whole import whole


@pytest.fixture
def dynamodb() -> Any:
    return boto3.client("dynamodb", config=botocore.config.Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def stubber(dynamodb: Any) -> Iterator[Stubber]:
    with Stubber(dynamodb) as stubber:
        yield stubber


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def ledger(dynamodb: Any, stubber: Stubber, pauses: list[float]) -> DynamoLedger:
    return DynamoLedger(dynamodb, "ledger", FakeClock(), pauses.append)


@pytest.fixture
def saga() -> Saga:
    saga = plan_saga(parse_request(request_document(aws_disk())), "s1", "somebody", START).saga
    return saga.model_copy(update={"version": 1, "waves": ()})


def header(saga: Saga) -> dict[str, Any]:
    return {"Item": {"document": {"S": saga.model_dump_json()}}}


def begun(now: Standing) -> Saga:
    return now.saga.model_copy(update={"status": SagaStatus.PROVISIONING})


def expect_snapshot(stubber: Stubber, saga: Saga) -> None:
    stubber.add_response("get_item", header(saga))
    stubber.add_response("transact_get_items", {"Responses": [header(saga)]})


def refuse_transaction(stubber: Stubber, *reasons: str, operation: str = "transact_write_items") -> None:
    stubber.add_client_error(
        operation,
        "TransactionCanceledException",
        "Transaction cancelled",
        modeled_fields={"CancellationReasons": [{"Code": reason} for reason in reasons]},
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("ThrottlingException", 400),
        ("TransactionInProgressException", 400),
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
    ],
)
@pytest.mark.parametrize("operation", ["get_item", "transact_get_items", "transact_write_items"])
def test_what_passes_by_itself_is_retryable(
    ledger: DynamoLedger, stubber: Stubber, saga: Saga, operation: str, code: str, status: int
) -> None:
    if operation != "get_item":
        stubber.add_response("get_item", header(saga))
    if operation == "transact_write_items":
        stubber.add_response("transact_get_items", {"Responses": [header(saga)]})
    stubber.add_client_error(operation, code, "no", status)
    with pytest.raises(RetryableError, match=f"^{code}: the ledger refused for now$"):
        ledger.change_saga("s1", begun)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_what_is_our_own_mistake_stays_what_it_is(ledger: DynamoLedger, stubber: Stubber, code: str) -> None:
    stubber.add_client_error("get_item", code, "no", 400)
    with pytest.raises(ClientError, match=code):
        ledger.saga("s1")


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="https://ledger"), ReadTimeoutError(endpoint_url="https://ledger")],
)
def test_no_answer_is_retryable_whether_reading_or_writing(
    dynamodb: Any, ledger: DynamoLedger, saga: Saga, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def no_answer(**_: Any) -> None:
        raise error

    monkeypatch.setattr(dynamodb, "get_item", no_answer)
    monkeypatch.setattr(dynamodb, "transact_write_items", no_answer)
    with pytest.raises(RetryableError, match="the ledger did not answer"):
        ledger.saga("s1")
    monkeypatch.setattr(dynamodb, "get_item", lambda **_: {})
    with pytest.raises(RetryableError, match="the ledger did not answer"):
        ledger.open(saga, (), IdempotencyKey("somebody", "key", "digest"))


@pytest.mark.parametrize(
    "reason", ["ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
)
def test_a_cancelled_transaction_is_tried_again_on_a_fresh_read_after_a_pause(
    ledger: DynamoLedger, stubber: Stubber, pauses: list[float], saga: Saga, reason: str
) -> None:
    expect_snapshot(stubber, saga)
    refuse_transaction(stubber, reason, "None")
    expect_snapshot(stubber, saga.model_copy(update={"version": 5}))
    stubber.add_response("transact_write_items", {})
    assert ledger.change_saga("s1", begun).saga.version == 6
    assert len(pauses) == 1


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_cancelled_transactional_read_is_tried_again_after_a_pause(
    ledger: DynamoLedger, stubber: Stubber, pauses: list[float], saga: Saga, reason: str
) -> None:
    stubber.add_response("get_item", header(saga))
    refuse_transaction(stubber, reason, operation="transact_get_items")
    expect_snapshot(stubber, saga)
    stubber.add_response("transact_write_items", {})
    assert ledger.change_saga("s1", begun).saga.version == 2
    assert len(pauses) == 1


def test_a_transaction_that_can_never_succeed_is_not_tried_again(
    ledger: DynamoLedger, stubber: Stubber, pauses: list[float], saga: Saga
) -> None:
    expect_snapshot(stubber, saga)
    refuse_transaction(stubber, "None", "ValidationError")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        ledger.change_saga("s1", begun)
    assert pauses == []


def test_a_saga_that_others_keep_writing_ends_as_retryable_after_ever_longer_pauses(
    ledger: DynamoLedger, stubber: Stubber, pauses: list[float], saga: Saga
) -> None:
    for _ in range(12):
        expect_snapshot(stubber, saga)
        refuse_transaction(stubber, "ConditionalCheckFailed")
    with pytest.raises(RetryableError, match="LedgerContention"):
        ledger.change_saga("s1", begun)
    assert all(pause <= min(0.5, 0.01 * 2**number) for number, pause in enumerate(pauses))
    assert sum(pauses) < 10


def test_a_write_demands_the_version_that_was_read_and_that_its_event_is_new(
    dynamodb: Any, ledger: DynamoLedger, stubber: Stubber, saga: Saga
) -> None:
    expect_snapshot(stubber, saga.model_copy(update={"version": 7}))
    stubber.add_response("transact_write_items", {})
    written: list[dict[str, Any]] = []
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.TransactWriteItems", lambda params, **_: written.append(params)
    )
    ledger.change_saga("s1", begun)
    puts = [item["Put"] for item in written[0]["TransactItems"]]
    assert puts[0]["ConditionExpression"] == "version = :read"
    assert puts[0]["ExpressionAttributeValues"] == {":read": {"N": "7"}}
    assert puts[1]["ConditionExpression"] == "attribute_not_exists(pk)"
    assert puts[1]["Item"]["sk"] == {"S": "EVENT#000000000008"}


def test_what_dynamodb_gives_in_pages_is_read_to_the_end(ledger: DynamoLedger, stubber: Stubber, saga: Saga) -> None:
    _, resources = plan_saga(parse_request(request_document(aws_disk("b"), aws_disk("a"))), "s1", "somebody", START)
    place_of = {"b": "0", "a": "1"}
    first, second = (
        {"document": {"S": it.model_dump_json()}, "place": {"N": place_of[it.id]}} for it in reversed(resources)
    )
    last = {"pk": {"S": "s1"}, "sk": {"S": "RESOURCE#a"}}
    stubber.add_response("query", {"Items": [header(saga)["Item"], first], "LastEvaluatedKey": last})
    stubber.add_response("query", {"Items": [second]})
    assert [it.id for it in whole(ledger, "s1").resources] == ["b", "a"]
    stubber.assert_no_pending_responses()


def test_reads_are_strongly_consistent(ledger: DynamoLedger, stubber: Stubber) -> None:
    stubber.add_response(
        "get_item",
        {},
        {"TableName": "ledger", "Key": {"pk": {"S": "s1"}, "sk": {"S": "HEADER"}}, "ConsistentRead": True},
    )
    with pytest.raises(SagaNotFound, match=r"^no saga s1$"):
        ledger.saga("s1")


def test_a_saga_that_changes_status_during_a_listing_is_listed_once(
    ledger: DynamoLedger, stubber: Stubber, saga: Saga
) -> None:
    for status in SagaStatus:
        found = status in (SagaStatus.PENDING, SagaStatus.PROVISIONING)
        item = {"document": {"S": saga.model_copy(update={"status": status}).model_dump_json()}}
        stubber.add_response("query", {"Items": [item] if found else []})
    assert [it.status for it in ledger.sagas(None, 10, None)] == [SagaStatus.PROVISIONING]


def test_the_callers_key_is_not_stored_in_clear(
    dynamodb: Any, ledger: DynamoLedger, stubber: Stubber, saga: Saga
) -> None:
    asked: list[dict[str, Any]] = []
    dynamodb.meta.events.register("provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params))
    stubber.add_response("get_item", {})
    stubber.add_response("transact_write_items", {})
    ledger.open(saga, (), IdempotencyKey("somebody", "my key", "digest"))
    assert "my key" not in str(asked)


def test_dynamodb_is_not_asked_for_a_key_longer_than_it_takes(ledger: DynamoLedger, stubber: Stubber) -> None:
    with pytest.raises(SagaNotFound):
        ledger.saga("s" * 2049)
    stubber.add_response("get_item", {})
    with pytest.raises(SagaNotFound):
        ledger.saga("s" * 2048)
    stubber.assert_no_pending_responses()
