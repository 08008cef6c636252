"""Access over HTTP: 403 for a target, 404 for a saga, and a refusal of everything while the grants cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.api.callers import principal_of
from lambdas.core.access import Grant
from lambdas.core.errors import Misconfigured, RetryableError
from lambdas.core.targets import AwsTarget
from tests.fakes.access import some_targets
from tests.fakes.documents import aws_disk, aws_instance, request_document
from tests.unit.api.conftest import CALLER, Answer, Api

STRANGER = "arn:aws:iam::123456789012:user/stranger"
OPS = "arn:aws:iam::123456789012:role/ops"
PAYMENTS = AwsTarget(role_arn="arn:aws:iam::210987654321:role/skysaga-target")
ABOUT_ONE = (
    ("GET", ""),
    ("GET", "/events"),
    ("POST", "/approve"),
    ("POST", "/cancel"),
    ("POST", "/resume"),
    ("DELETE", ""),
)


def elsewhere(**changes: Any) -> dict[str, Any]:
    return request_document(aws_disk(), aws_instance(target="payments"), **changes)


@pytest.fixture(autouse=True)
def _two_targets(calls: Api) -> None:
    calls.access.targets = some_targets(payments=PAYMENTS)


def plan(calls: Api, document: Any) -> Answer:
    return calls.call("POST", "/plans", json.dumps(document), {"content-type": "application/json"})


def test_a_target_that_was_not_granted_is_forbidden_and_named(calls: Api) -> None:
    for answer in (calls.submit(elsewhere()), plan(calls, elsewhere())):
        assert answer.status == 403
        assert answer.problems == {
            "resources[1].target": "you may not use the target 'payments' on aws; ask for a grant"
        }
    assert calls.started_nothing
    assert calls.checks.asked == []


def test_what_a_granted_target_stands_for_is_written_with_the_resource(calls: Api) -> None:
    calls.access.grants = [Grant(callers=[CALLER], targets=["aws/payments"])]
    saga_id = calls.submit(elsewhere()).body["id"]

    assert calls.world.resource(saga_id, "web-aws").target == PAYMENTS.model_copy(update={"name": "payments"})
    assert calls.world.intent(saga_id, "web-aws").target == calls.world.resource(saga_id, "web-aws").target
    assert calls.world.resource(saga_id, "data-aws").target == AwsTarget()


def test_it_stays_what_it_was_when_the_name_means_something_else(calls: Api) -> None:
    calls.access.grants = [Grant(callers=[CALLER], targets=["aws/payments"])]
    saga_id = calls.submit(elsewhere()).body["id"]
    calls.access.targets = some_targets()

    target = calls.world.intent(saga_id, "web-aws").target
    assert isinstance(target, AwsTarget)
    assert target.role_arn == PAYMENTS.role_arn


@pytest.mark.parametrize(("method", "path"), ABOUT_ONE)
def test_somebody_elses_saga_is_answered_for_like_one_that_does_not_exist(calls: Api, method: str, path: str) -> None:
    saga_id = calls.world.open()
    before = calls.world.saga(saga_id)

    theirs = calls.call(method, f"/sagas/{saga_id}{path}", caller=STRANGER)
    none = calls.call(method, f"/sagas/s0nobody00000000{path}", caller=STRANGER)

    assert (theirs.status, none.status) == (404, 404)
    assert json.dumps(theirs.body).replace(saga_id, "ID") == json.dumps(none.body).replace("s0nobody00000000", "ID")
    assert calls.world.saga(saga_id) == before
    assert not calls.executions.provisioning


def test_an_operator_reaches_everybodys(calls: Api) -> None:
    calls.access.grants = [Grant(callers=[OPS], sagas="all")]
    saga_id = calls.world.open()
    session = "arn:aws:sts::123456789012:assumed-role/ops/ann"

    assert calls.call("GET", f"/sagas/{saga_id}", caller=session).body["caller"] == CALLER
    assert calls.call("POST", f"/sagas/{saga_id}/cancel", caller=session).status == 202


def test_a_list_has_nothing_of_somebody_elses(calls: Api) -> None:
    mine = calls.world.open()
    calls.world.clock.advance(1)
    calls.world.caller = STRANGER
    theirs = calls.world.open()

    def listed(caller: str) -> list[str]:
        return [it["id"] for it in calls.call("GET", "/sagas", caller=caller).body["items"]]

    calls.access.grants = [Grant(callers=[OPS], sagas="all")]
    assert (listed(CALLER), listed(STRANGER), listed(OPS)) == ([mine], [theirs], [theirs, mine])


@pytest.mark.parametrize(("method", "path"), [*ABOUT_ONE, ("LIST", ""), ("SUBMIT", ""), ("PLAN", "")])
def test_grants_that_cannot_be_used_open_nothing_and_say_so_to_an_operator(calls: Api, method: str, path: str) -> None:
    saga_id = calls.world.open()
    calls.access.broken = Misconfigured("the SSM parameter /skysaga/grants cannot be used: grants.0: it is wrong")
    match method:
        case "LIST":
            answer = calls.call("GET", "/sagas")
        case "SUBMIT":
            answer = calls.submit(request_document(aws_disk()))
        case "PLAN":
            answer = plan(calls, request_document(aws_disk()))
        case _:
            answer = calls.call(method, f"/sagas/{saga_id}{path}")

    assert answer.status == 500
    assert "/skysaga/grants cannot be used" in answer.body["detail"]
    assert '"level":"ERROR"' in calls.log.getvalue()
    assert not calls.executions.provisioning


def test_grants_that_cannot_be_read_just_now_are_asked_for_again(calls: Api) -> None:
    calls.access.broken = RetryableError("ThrottlingException", "the parameter store refused for now")
    answer = calls.call("GET", f"/sagas/{calls.world.open()}")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


def test_a_call_without_an_identity_is_nobodys(calls: Api) -> None:
    saga_id = calls.world.open()

    assert calls.call("GET", f"/sagas/{saga_id}", caller=None).status == 403
    assert calls.call("GET", "/sagas", caller=None).status == 403
    assert calls.call("GET", "/healthz", caller=None).status == 200


def test_two_sessions_of_a_role_are_one_caller(calls: Api) -> None:
    first = calls.submit(request_document(aws_disk()), caller="arn:aws:sts::123456789012:assumed-role/ci/run-1")
    again = calls.submit(request_document(aws_disk()), caller="arn:aws:sts::123456789012:assumed-role/ci/run-2")

    assert first.body["id"] == again.body["id"]
    assert calls.world.saga(first.body["id"]).caller == "arn:aws:iam::123456789012:role/ci"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::123456789012:assumed-role/ci/a@b.example", "arn:aws:iam::123456789012:role/ci"),
        ("arn:aws-cn:sts::123456789012:assumed-role/ci/run", "arn:aws-cn:iam::123456789012:role/ci"),
        ("arn:aws:iam::123456789012:user/team/ann", "arn:aws:iam::123456789012:user/team/ann"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        ("arn:aws:sts::123456789012:federated-user/ann", "arn:aws:sts::123456789012:federated-user/ann"),
    ],
)
def test_a_principal_is_the_role_of_a_session_and_else_itself(arn: str, principal: str) -> None:
    assert principal_of(arn) == principal
