"""Grants and targets from SSM: read again after a while, and of no effect when they cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from lambdas.adapters.parameters import ParameterAccess, ParameterClusters, Parameters, ParameterTargets
from lambdas.core.access import Caller
from lambdas.core.errors import Misconfigured, RetryableError
from lambdas.core.targets import AwsTarget, AzureTarget
from tests.fakes.clock import FakeClock
from tests.fakes.reports import cluster_settings

GRANTS = "/skysaga/grants"
TARGETS = {"aws": "/skysaga/targets/aws", "azure": "/skysaga/targets/azure"}
OPS = Caller("ops", ("ops",))
ALL = json.dumps({"grants": [{"callers": ["ops"], "sagas": "all"}]})
AWS = json.dumps({"default": {}, "payments": {"role_arn": "arn:role", "withdrawn": True}})
AZURE = json.dumps({"payments": {"subscription_id": "s", "tenant_id": "t", "client_id": "c"}})


class FakeSsm:
    """A parameter store that answers what it holds, or raises what it is told to."""

    def __init__(self, **values: str) -> None:
        self.values = {GRANTS: "{}", TARGETS["aws"]: AWS, TARGETS["azure"]: AZURE, **values}
        self.error: Exception | None = None
        self.calls = 0

    def get_parameters(self, Names: list[str]) -> dict[str, Any]:  # noqa: N803 -- as the API has it
        self.calls += 1
        if self.error:
            raise self.error
        found = [{"Name": name, "Value": self.values[name]} for name in Names if name in self.values]
        return {"Parameters": found, "InvalidParameters": [name for name in Names if name not in self.values]}


def refusal(code: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetParameters")


@pytest.fixture
def ssm() -> FakeSsm:
    return FakeSsm()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def access(ssm: FakeSsm, clock: FakeClock) -> ParameterAccess:
    return ParameterAccess(Parameters(ssm), GRANTS, TARGETS, clock, 30)


def test_a_grant_takes_effect_within_the_time_that_what_was_read_is_good_for(
    ssm: FakeSsm, clock: FakeClock, access: ParameterAccess
) -> None:
    assert not access.current().sees_all(OPS)
    ssm.values[GRANTS] = ALL
    clock.advance(29)
    assert not access.current().sees_all(OPS)
    assert ssm.calls == 1
    clock.advance(1)
    assert access.current().sees_all(OPS)


def test_a_grant_that_was_taken_back_is_not_remembered_when_the_store_is_down(
    ssm: FakeSsm, clock: FakeClock, access: ParameterAccess
) -> None:
    ssm.values[GRANTS] = ALL
    access.current()
    clock.advance(30)
    ssm.error = EndpointConnectionError(endpoint_url="x")
    for _ in range(2):
        with pytest.raises(RetryableError):
            access.current()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        '{"grants": [{"callers": [], "sagas": "all"}]}',
        '{"grants": [{"callers": ["secret-ops"], "sagas": "everything"}]}',
        '{"grants": [{"callers": ["secret-ops"], "sages": "all"}]}',
        '{"grants": [{"callers": ["secret-ops"], "targets": ["payments"]}]}',
        '{"default_targets": "nobody"}',
    ],
)
def test_malformed_grants_are_an_operators_to_mend_and_quote_nothing(
    ssm: FakeSsm, access: ParameterAccess, text: str
) -> None:
    ssm.values[GRANTS] = text
    with pytest.raises(Misconfigured, match=GRANTS) as error:
        access.current()

    assert "secret-ops" not in str(error.value)


@pytest.mark.parametrize("text", ["[]", '{"payments": {}}', '{"payments": {"subscription_id": "s", "x": "y"}}'])
def test_malformed_targets_are_too(ssm: FakeSsm, access: ParameterAccess, text: str) -> None:
    ssm.values[TARGETS["azure"]] = text
    with pytest.raises(Misconfigured, match=TARGETS["azure"]):
        access.current()


def test_a_missing_parameter_is_named(ssm: FakeSsm, access: ParameterAccess) -> None:
    del ssm.values[GRANTS]
    with pytest.raises(Misconfigured, match=f"{GRANTS} do not exist"):
        access.current()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (refusal("ThrottlingException"), RetryableError),
        (refusal("InternalServerError", 500), RetryableError),
        (refusal("AccessDeniedException"), Misconfigured),
        (EndpointConnectionError(endpoint_url="x"), RetryableError),
    ],
)
def test_a_store_that_refuses_grants_nothing(
    ssm: FakeSsm, access: ParameterAccess, error: Exception, raised: type[Exception]
) -> None:
    ssm.error = error
    with pytest.raises(raised):
        access.current()


def test_targets_are_what_the_deployment_wrote(ssm: FakeSsm) -> None:
    assert ParameterTargets(Parameters(ssm), TARGETS).declared() == {
        "aws": {
            "default": AwsTarget(),
            "payments": AwsTarget(name="payments", role_arn="arn:role", withdrawn=True),
        },
        "azure": {"payments": AzureTarget(name="payments", subscription_id="s", tenant_id="t", client_id="c")},
    }


def test_clusters_are_read_ten_at_a_time() -> None:
    names = [f"berlin-{number}" for number in range(23)]
    ssm = FakeSsm(**{f"/skysaga/clusters/{name}": cluster_settings(name).model_dump_json() for name in names})
    declared = ParameterClusters(Parameters(ssm)).declared(names)
    assert declared == {name: cluster_settings(name) for name in names}
    assert ssm.calls == 3


def test_a_cluster_that_is_not_declared_or_malformed_is_named() -> None:
    ssm = FakeSsm(**{"/skysaga/clusters/berlin-2": '{"name": "berlin-2", "secret": "hunter2"}'})
    clusters = ParameterClusters(Parameters(ssm))
    with pytest.raises(Misconfigured, match="/skysaga/clusters/berlin-1"):
        clusters.declared(["berlin-1"])
    with pytest.raises(Misconfigured, match="/skysaga/clusters/berlin-2 cannot be used: provider") as refused:
        clusters.declared(["berlin-2"])
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("change", [{"name": "berlin-9"}, {"queue_url": ""}, {"ledger_table": ""}])
def test_a_parameter_that_does_not_tell_a_worker_where_to_work_is_refused(change: dict[str, str]) -> None:
    settings = cluster_settings("berlin-1").model_copy(update=change)
    ssm = FakeSsm(**{"/skysaga/clusters/berlin-1": settings.model_dump_json()})
    with pytest.raises(Misconfigured, match="must have this cluster's name, queue_url and ledger_table"):
        ParameterClusters(Parameters(ssm)).declared(["berlin-1"])
