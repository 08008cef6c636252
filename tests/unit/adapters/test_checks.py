"""Asking the check functions: whatever becomes of the call, there is an answer, and it quotes nobody's request."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambdas.adapters.checks import LambdaChecks
from lambdas.core.ports.checks import Checked
from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from lambdas.core.request import parse_request
from lambdas.core.targets import AwsTarget
from tests.fakes.documents import aws_disk, aws_instance, azure_instance, request_document

RESOURCES = parse_request(
    request_document(
        aws_instance(disks=("data-aws",), target="payments"), aws_disk(target="payments"), azure_instance()
    )
).resources
TARGETS = {"web-aws": AwsTarget(name="payments", role_arn="arn:aws:iam::210987654321:role/skysaga")}
SHORTAGE = Shortage(resources=("web-aws",), location="eu-west-1", code="QuotaExceeded", message="QuotaExceeded: full")


class FakeLambda:
    def __init__(self, document: Any = None, error: Exception | None = None, failed: bool = False) -> None:
        self._document, self._error, self._failed = document, error, failed
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        if self._error:
            raise self._error
        failure = {"FunctionError": "Unhandled"} if self._failed else {}
        return {"Payload": io.BytesIO(json.dumps(self._document).encode()), **failure}


def ask(client: FakeLambda) -> Checked:
    return LambdaChecks(client, {"aws": "arn:aws-check"}).ask(["aws"], RESOURCES, TARGETS)["aws"]


def test_the_function_of_the_cloud_is_given_the_resources_and_its_shortages_are_the_answer() -> None:
    client = FakeLambda({"shortages": [SHORTAGE.model_dump(mode="json")]})

    assert ask(client) == Checked((SHORTAGE,))

    [call] = client.calls
    assert call["FunctionName"] == "arn:aws-check"
    payload = json.loads(call["Payload"])
    assert [it["id"] for it in payload["resources"]] == ["web-aws", "data-aws"]
    assert AwsTarget.model_validate(payload["named_targets"]["payments"]) == TARGETS["web-aws"]


def test_a_function_is_told_of_thousands_in_no_more_than_the_request_says_and_of_their_target_once() -> None:
    one = RESOURCES[0].model_copy(update={"depends_on": ["data-aws"]})
    many = [one.model_copy(update={"id": f"web-{place:05d}"}) for place in range(10_000)]
    target = AwsTarget(name="payments", role_arn=f"arn:aws:iam::210987654321:role/{'x' * 500}")
    client = FakeLambda({"shortages": []})

    LambdaChecks(client, {"aws": "arn:aws-check"}).ask(["aws"], many, {it.id: target for it in many})

    [call] = client.calls
    document = {**aws_instance(disks=("data-aws",), target="payments"), "id": "web-00000", "depends_on": ["data-aws"]}
    assert len(call["Payload"]) < 10_000 * len(json.dumps(document))
    assert call["Payload"].count(target.role_arn) == 1


def test_prices_or_why_there_are_none_are_part_of_the_answer() -> None:
    price = Price(resource="web-aws", hourly=Decimal("0.0104"), currency="USD", basis="t3.micro")

    assert ask(FakeLambda({"shortages": [], "prices": [price.model_dump(mode="json")]})).prices == (price,)
    assert ask(FakeLambda({"shortages": [], "unpriced": "Throttling: slow"})).unpriced == "Throttling: slow"


def test_a_function_that_does_not_answer_in_time_is_no_answer() -> None:
    failure = ask(FakeLambda(error=ReadTimeoutError(endpoint_url="x"))).failure

    assert failure == "ReadTimeoutError: the check did not answer in time"


def test_a_function_that_cannot_be_started_is_no_answer() -> None:
    refusal = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}}, "Invoke")

    assert ask(FakeLambda(error=refusal)).failure == "TooManyRequestsException: the check could not be started"


@pytest.mark.parametrize("document", [None, {}, {"shortages": [{"unheard": "of"}]}])
def test_an_answer_of_another_version_is_no_answer(document: object) -> None:
    assert ask(FakeLambda(document)).failure == "the check answered in a form that is not known here"


@pytest.mark.parametrize(
    ("name", "said"), [("RetryableError", "Throttled: not now"), ("ValidationError", "ValidationError")]
)
def test_of_a_failure_only_a_steps_own_words_are_passed_on(name: str, said: str) -> None:
    document = {"errorType": name, "errorMessage": "Throttled: not now", "stackTrace": []}

    assert ask(FakeLambda(document, failed=True)).failure == said


def test_a_cloud_without_a_function_is_no_answer() -> None:
    assert LambdaChecks(FakeLambda(), {}).ask(["aws"], RESOURCES, TARGETS)["aws"].failure == "nobody can be asked"
