"""Who may use which targets, and whose sagas they may change: nothing is open unless it was granted."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.core.access import Access, Caller, Grant, Grants
from lambdas.core.errors import NotGranted, RequestError
from lambdas.core.model import Saga
from lambdas.core.plan import plan_saga
from lambdas.core.request import SagaRequest, parse_request
from lambdas.core.targets import AwsTarget
from tests.fakes.access import some_targets
from tests.fakes.clock import START
from tests.fakes.documents import aws_disk, aws_instance, gcp_instance, request_document

ROLE = "arn:aws:iam::123456789012:role/payments-deployer"
OPS = "arn:aws:iam::123456789012:role/ops"
PAYMENTS = AwsTarget(role_arn="arn:aws:iam::210987654321:role/skysaga-target")
GONE = PAYMENTS.model_copy(update={"withdrawn": True})


def caller(name: str = ROLE) -> Caller:
    return Caller(name, (name,))


def access(*grants: Grant, **more: Any) -> Access:
    return Access(Grants(grants=list(grants), **more), some_targets(payments_prod=PAYMENTS, payments_old=GONE))


def request(target: str = "payments-prod") -> SagaRequest:
    return parse_request(request_document(aws_instance(target=target), gcp_instance()))


def saga(owner: str = ROLE) -> Saga:
    return plan_saga(request(), "s1", owner, START).saga


def test_without_grants_the_default_targets_are_everybodys() -> None:
    targets = access().targets_of(request("default"), caller())

    assert {resource: it.name for resource, it in targets.items()} == {"web-aws": "default", "web-gcp": "default"}


def test_unless_the_default_targets_need_a_grant_too() -> None:
    closed = access(Grant(callers=[ROLE], targets=["gcp/default"]), default_targets="granted")

    with pytest.raises(NotGranted) as refused:
        closed.targets_of(request("default"), caller())
    assert [it.field for it in refused.value.errors] == ["resources[0].target"]


def test_without_a_grant_no_other_target_is() -> None:
    with pytest.raises(NotGranted) as refused:
        access().targets_of(request(), caller())

    (error,) = refused.value.errors
    assert error.field == "resources[0].target"
    assert "'payments-prod' on aws" in error.reason


@pytest.mark.parametrize("pattern", ["aws/payments-prod", "aws/payments-*", "aws/*", "*/*"])
def test_a_granted_target_is_what_it_stands_for(pattern: str) -> None:
    found = access(Grant(callers=[ROLE], targets=[pattern])).targets_of(request(), caller())

    assert found["web-aws"] == PAYMENTS.model_copy(update={"name": "payments-prod"})


@pytest.mark.parametrize("pattern", ["gcp/payments-prod", "aws/payments", "aws/payments-prod-*", "aws/*-prodx"])
def test_a_grant_for_something_else_opens_nothing(pattern: str) -> None:
    with pytest.raises(NotGranted):
        access(Grant(callers=[ROLE], targets=[pattern])).targets_of(request(), caller())


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        (ROLE, True),
        ("arn:aws:iam::123456789012:role/payments-*", True),
        ("arn:aws:iam::*:role/payments-deployer", True),
        ("arn:aws:iam::123456789012:*", True),
        ("arn:aws:iam::123456789012:role/payments", False),
        ("arn:aws:iam::999999999999:role/*", False),
        ("arn:*", False),
    ],
)
def test_a_pattern_names_whole_callers_of_one_account(pattern: str, matches: bool) -> None:
    assert access(Grant(callers=[pattern], sagas="all")).sees_all(caller()) is matches


def test_a_star_does_not_reach_from_one_part_of_an_arn_into_the_next() -> None:
    disguised = "arn:aws:iam::999999999999:user/x:role/admin"

    assert not access(Grant(callers=["arn:aws:iam::*:role/admin"], sagas="all")).sees_all(caller(disguised))


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp", "vsphere", "scvmm"])
def test_targets_on_every_cloud_can_be_granted(cloud: str) -> None:
    assert Grant(callers=[ROLE], targets=[f"{cloud}/default"]).targets == [f"{cloud}/default"]


def test_any_of_a_callers_names_may_be_granted() -> None:
    both = Caller("issuer#subject", ("issuer#subject", "group=ops"))

    assert access(Grant(callers=["group=ops"], sagas="all")).sees_all(both)


def test_a_target_that_is_not_granted_is_refused_alike_whether_it_exists_or_not() -> None:
    def reason(name: str) -> str:
        with pytest.raises(NotGranted) as refused:
            access().targets_of(request(name), caller())
        return refused.value.errors[0].reason.replace(name, "NAME")

    assert reason("payments-prod") == reason("no-such-one")


def test_one_that_is_granted_and_not_there_is_a_mistake_that_names_those_that_are() -> None:
    granted = access(Grant(callers=[ROLE], targets=["aws/payments-*"]))

    with pytest.raises(RequestError, match="did you mean payments-prod"):
        granted.targets_of(request("payments-prd"), caller())
    with pytest.raises(RequestError, match="you may use default, payments-prod"):
        granted.targets_of(request("payments-zzzzzzzzzzzz"), caller())


def test_a_cloud_without_a_target_says_so() -> None:
    with pytest.raises(RequestError, match="none on aws that you may use"):
        Access(Grants(), {"gcp": some_targets()["gcp"]}).targets_of(request("default"), caller())


def test_a_withdrawn_target_takes_nothing_new() -> None:
    with pytest.raises(RequestError, match="withdrawn"):
        access(Grant(callers=[ROLE], targets=["aws/*"])).targets_of(request("payments-old"), caller())


def test_every_wrong_target_is_named_at_once() -> None:
    document = request_document(aws_disk("a", target="one"), aws_disk("b", target="two"), aws_disk("c", target="one"))

    with pytest.raises(NotGranted) as refused:
        access(Grant(callers=[ROLE], targets=["aws/two"])).targets_of(parse_request(document), caller())
    assert [it.field for it in refused.value.errors] == [
        "resources[0].target",
        "resources[2].target",
        "resources[1].target",
    ]


def test_a_saga_is_its_callers() -> None:
    assert access().may_touch(caller(), saga())
    assert not access().may_touch(caller(OPS), saga())


def test_an_operator_may_touch_everybodys() -> None:
    assert access(Grant(callers=[OPS], sagas="all")).may_touch(caller(OPS), saga())


def test_a_target_opens_nobodys_sagas() -> None:
    assert not access(Grant(callers=[OPS], targets=["*/*"])).may_touch(caller(OPS), saga())


def test_a_disk_and_its_instance_share_a_target() -> None:
    document = request_document(aws_instance(disks=("data-aws",), target="payments-prod"), aws_disk())

    with pytest.raises(RequestError) as refused:
        parse_request(document)
    assert {it.field: it.reason for it in refused.value.errors} == {
        "resources[0].spec.disks[0]": "'data-aws' is in the target 'default', not in 'payments-prod'"
    }
