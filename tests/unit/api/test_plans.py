"""`POST /plans`: what would become of a request, without its consequences."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from lambdas.core.ports.checks import Checked
from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from tests.fakes.documents import aws_disk, aws_instance, request_document
from tests.unit.api.conftest import Answer, Api


def plan(calls: Api, document: Any) -> Answer:
    return calls.call("POST", "/plans", json.dumps(document), {"content-type": "application/json"})


DOCUMENT = request_document(aws_instance(disks=("data-aws",)), aws_disk())


def test_a_plan_says_the_order_and_starts_nothing(calls: Api) -> None:
    answer = plan(calls, DOCUMENT)

    assert answer.status == 200
    assert answer.body["order"] == [["data-aws"], ["web-aws"]]
    assert (answer.body["shortages"], answer.body["unchecked"]) == ([], [])
    assert calls.checks.asked == [("aws", ["web-aws", "data-aws"])]
    assert calls.started_nothing


def test_a_plan_names_every_shortage_with_its_cloud(calls: Api) -> None:
    short = Shortage(
        resources=("web-aws",), location="eu-west-1", code="QuotaExceeded", message="full", needed=2, available=1
    )
    calls.checks.answers["aws"] = Checked((short,))

    [shown] = plan(calls, DOCUMENT).body["shortages"]

    assert shown == {
        "provider": "aws",
        "resources": ["web-aws"],
        "location": "eu-west-1",
        "code": "QuotaExceeded",
        "message": "full",
        "needed": 2,
        "available": 1,
    }


def test_a_plan_says_which_cloud_could_not_be_asked(calls: Api) -> None:
    calls.checks.answers["aws"] = Checked(failure="Throttled: not now")

    assert plan(calls, DOCUMENT).body["unchecked"] == [{"provider": "aws", "reason": "Throttled: not now"}]


def test_a_plan_tells_what_is_known_of_prices_and_adds_up_no_two_currencies(calls: Api) -> None:
    def price(resource: str, hourly: str, currency: str) -> Price:
        return Price(resource=resource, hourly=Decimal(hourly), currency=currency, basis="a list")

    calls.checks.answers["aws"] = Checked(
        prices=(price("web-aws", "0.0104", "USD"), price("data-aws", "0.0050", "USD"), price("other", "1", "EUR")),
        unpriced="Throttling: slow down",
    )
    answer = plan(calls, DOCUMENT).body

    assert answer["prices"][0] == {
        "provider": "aws",
        "resource": "web-aws",
        "hourly": "0.0104",
        "currency": "USD",
        "basis": "a list",
    }
    assert answer["hourly"] == [{"currency": "EUR", "amount": "1"}, {"currency": "USD", "amount": "0.0154"}]
    assert answer["unpriced"] == [{"provider": "aws", "reason": "Throttling: slow down"}]


def test_a_plan_of_a_bad_request_is_refused_like_the_request(calls: Api) -> None:
    answer = plan(calls, {**DOCUMENT, "nonsense": 1})

    assert answer.status == 422
    assert "nonsense" in answer.problems
