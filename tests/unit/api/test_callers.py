"""Who calls, as API Gateway says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.api.callers import caller_of
from lambdas.core.errors import Unidentified
from tests.fakes.documents import request_document
from tests.unit.api.conftest import Api


def context(authorizer: Any) -> dict[str, Any]:
    return {"authorizer": authorizer}


def token(**claims: str) -> dict[str, Any]:
    return context({"jwt": {"claims": claims, "scopes": None}})


def test_a_signer_is_its_arn() -> None:
    assert caller_of(context({"iam": {"userArn": "arn:aws:iam::1:user/ops"}})).id == "arn:aws:iam::1:user/ops"


def test_the_bearer_of_a_token_is_its_issuer_and_subject() -> None:
    assert caller_of(token(iss="https://id.example/a", sub="ops")).id == "https://id.example/a#ops"


def test_the_same_subject_of_two_issuers_is_two_callers() -> None:
    assert caller_of(token(iss="https://a.example", sub="ops")) != caller_of(token(iss="https://b.example", sub="ops"))


@pytest.mark.parametrize(
    "nobody",
    [{}, context(None), context({"iam": {"userArn": None}}), token(iss="https://id.example"), token(sub="ops")],
)
def test_who_cannot_be_named_is_nobody(nobody: dict[str, Any]) -> None:
    with pytest.raises(Unidentified):
        caller_of(nobody)


def test_nobody_submits_nothing(calls: Api) -> None:
    headers = {"content-type": "application/json", "idempotency-key": "key-1"}
    answer = calls.call("POST", "/sagas", json.dumps(request_document()), headers, caller=None)

    assert answer.status == 403
    assert calls.started_nothing
