"""What is claimed of a cluster is what its resources say, in the fake ledger as in DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, NamedTuple, cast

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambdas.adapters.clusters import DynamoClusters
from lambdas.adapters.ledger import DynamoLedger
from lambdas.core.clusters import Amounts, Claim
from lambdas.core.errors import ClaimRefused, ClusterNotFound, IllegalTransition
from lambdas.core.model import Resource
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.ports.clusters import Clusters
from lambdas.core.ports.ledger import IdempotencyKey, Ledger, ResourceChange
from lambdas.core.ports.provider import Marked
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus
from tests.contract.test_ledger_contract import TABLE, OneAtATime, create_table
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.documents import request_document, vsphere_instance
from tests.fakes.ledger import FakeLedger
from tests.fakes.reports import cluster_settings, survey
from tests.whole import whole

CLUSTER = "berlin-1"
NEED = Amounts(cpu=2, memory_mb=4096, disk_gb=20)
ROOM_FOR_THREE = Amounts(cpu=7, memory_mb=100_000, disk_gb=1000)
PLENTY = Amounts(cpu=1000, memory_mb=10_000_000, disk_gb=100_000)


class World(NamedTuple):
    ledger: Ledger
    clusters: Clusters
    clock: FakeClock


@pytest.fixture(params=["fake", "dynamodb"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = FakeClock()
    if request.param == "fake":
        ledger = FakeLedger(clock)
        yield World(ledger, FakeClusters(ledger), clock)
        return
    for name, value in (("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1")
        create_table(client)
        alone = cast(Any, OneAtATime(client))
        yield World(DynamoLedger(alone, TABLE, clock), DynamoClusters(alone, TABLE, clock), clock)


@pytest.fixture
def reported(world: World) -> World:
    world.clusters.report(cluster_settings(CLUSTER), survey(world.clock.now()))
    return world


def opened(world: World, *ids: str) -> str:
    now = world.clock.now()
    request = parse_request(request_document(*(vsphere_instance(it) for it in ids or ("web",))))
    saga, resources = plan_saga(request, new_saga_id(now), "somebody", now)
    return world.ledger.open(saga, resources, IdempotencyKey("somebody", saga.id, "digest")).id


def claiming(group: str = "", cluster: str = CLUSTER) -> ResourceChange:
    claim = Claim(cluster=cluster, amounts=NEED, group=group)
    return lambda _, it: it.model_copy(update={"status": ResourceStatus.CREATING, "claim": claim, "cluster": cluster})


def freeing(_: object, it: Resource) -> Resource:
    return it.model_copy(update={"claim": None})


def claimed(world: World) -> Amounts:
    return world.clusters.standing(CLUSTER).claimed.amounts


def test_nothing_is_claimed_of_a_cluster_at_first(reported: World) -> None:
    standing = reported.clusters.standing(CLUSTER)
    assert standing.claimed == (Amounts(), {}, False)


def test_a_claim_is_counted_with_the_intent_and_freed_with_the_resource(reported: World) -> None:
    saga = opened(reported)
    reported.ledger.change_resource(saga, "web", claiming("web-group"), bounds=PLENTY)
    standing = reported.clusters.standing(CLUSTER)
    assert (standing.claimed.amounts, standing.claimed.groups) == (NEED, {"web-group": f"{saga}/web"})

    reported.ledger.change_resource(saga, "web", freeing)
    assert reported.clusters.standing(CLUSTER).claimed == (Amounts(), {}, False)


def test_freeing_again_frees_nothing_more(reported: World) -> None:
    saga = opened(reported, "web", "other")
    for resource in ("web", "other"):
        reported.ledger.change_resource(saga, resource, claiming(), bounds=PLENTY)
    reported.ledger.change_resource(saga, "web", freeing)
    reported.ledger.change_resource(saga, "web", freeing)
    assert claimed(reported) == NEED


def test_a_claim_beyond_the_bounds_is_refused_and_nothing_is_written(reported: World) -> None:
    saga = opened(reported, "a", "b", "c", "d")
    for resource in "abc":
        reported.ledger.change_resource(saga, resource, claiming(), bounds=ROOM_FOR_THREE)
    before = whole(reported.ledger, saga)

    with pytest.raises(ClaimRefused, match=CLUSTER):
        reported.ledger.change_resource(saga, "d", claiming(), bounds=ROOM_FOR_THREE)

    assert whole(reported.ledger, saga) == before
    assert claimed(reported).cpu == 6


def test_the_first_claim_is_bounded_too(reported: World) -> None:
    with pytest.raises(ClaimRefused):
        reported.ledger.change_resource(opened(reported), "web", claiming(), bounds=Amounts(cpu=64, memory_mb=4095))
    assert claimed(reported) == Amounts()


def test_what_lives_is_claimed_without_bounds_whether_there_is_room_or_not(reported: World) -> None:
    reported.clusters.drain(CLUSTER, True)
    reported.ledger.change_resource(opened(reported), "web", claiming())
    assert claimed(reported) == NEED


def test_a_group_is_on_a_cluster_once(reported: World) -> None:
    saga = opened(reported, "a", "b")
    reported.ledger.change_resource(saga, "a", claiming("web"), bounds=PLENTY)
    with pytest.raises(ClaimRefused):
        reported.ledger.change_resource(saga, "b", claiming("web"), bounds=PLENTY)
    reported.ledger.change_resource(saga, "b", claiming("another"), bounds=PLENTY)
    reported.ledger.change_resource(saga, "a", freeing)
    assert reported.clusters.standing(CLUSTER).claimed.groups == {"another": f"{saga}/b"}


def test_a_drained_cluster_takes_no_claim_until_it_is_not_drained_any_more(reported: World) -> None:
    saga = opened(reported)
    reported.clusters.drain(CLUSTER, True)
    assert reported.clusters.standing(CLUSTER).claimed.drained
    with pytest.raises(ClaimRefused):
        reported.ledger.change_resource(saga, "web", claiming(), bounds=PLENTY)

    reported.clusters.drain(CLUSTER, False)
    reported.ledger.change_resource(saga, "web", claiming(), bounds=PLENTY)
    assert claimed(reported) == NEED


def test_a_claim_is_not_moved_while_it_is_held(reported: World) -> None:
    saga = opened(reported)
    reported.ledger.change_resource(saga, "web", claiming(), bounds=PLENTY)
    with pytest.raises(IllegalTransition, match="freed before"):
        reported.ledger.change_resource(saga, "web", claiming(cluster="berlin-2"), bounds=PLENTY)


def test_claims_of_many_sagas_at_once_never_exceed_the_bounds(reported: World) -> None:
    sagas = [opened(reported) for _ in range(8)]

    def attempt(saga: str) -> bool:
        try:
            reported.ledger.change_resource(saga, "web", claiming(), bounds=ROOM_FOR_THREE)
        except ClaimRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        successes = list(pool.map(attempt, sagas)).count(True)

    assert successes == 3
    assert claimed(reported).cpu == 6


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("abcde"), st.booleans()), max_size=20))
def test_whatever_happens_the_sum_is_what_the_resources_say(reported: World, steps: list[tuple[str, bool]]) -> None:
    saga = opened(reported, *"abcde")
    before = claimed(reported)
    for resource, claim in steps:
        try:
            reported.ledger.change_resource(saga, resource, claiming() if claim else freeing, bounds=PLENTY)
        except IllegalTransition:
            pytest.fail("claiming the same again is no change")
    holders = [it for it in whole(reported.ledger, saga).resources if it.claim is not None]
    assert (claimed(reported) - before).cpu == NEED.cpu * len(holders)


def test_a_cluster_that_never_reported_is_not_found(world: World) -> None:
    with pytest.raises(ClusterNotFound, match="nowhere"):
        world.clusters.standing("nowhere")
    with pytest.raises(ClusterNotFound, match="nowhere"):
        world.clusters.drain("nowhere", True)
    assert world.clusters.standings() == []
    assert world.clusters.machines("vsphere", "default") == []


def test_a_report_replaces_the_one_before_and_leaves_the_claims(reported: World) -> None:
    reported.ledger.change_resource(opened(reported), "web", claiming(), bounds=PLENTY)
    later = reported.clock.now() + timedelta(minutes=1)
    reported.clusters.report(cluster_settings(CLUSTER, concurrency=9), survey(later, hosts=3))

    [standing] = reported.clusters.standings()
    assert (standing.settings.concurrency, len(standing.report.hosts), standing.report.at) == (9, 3, later)
    assert standing.claimed.amounts == NEED


def test_more_clusters_than_one_read_takes_are_all_there(world: World) -> None:
    names = {f"cluster-{number}" for number in range(130)}
    for name in names:
        world.clusters.report(cluster_settings(name), survey(world.clock.now()))
    assert {it.settings.name for it in world.clusters.standings()} == names


def test_the_machines_of_a_target_are_those_of_its_clusters(world: World) -> None:
    now = world.clock.now()
    marked = tuple(Marked(f"s{number}", "web", f"vm-{number}", now) for number in range(1000))
    world.clusters.report(cluster_settings("berlin-1"), survey(now, marked))
    world.clusters.report(cluster_settings("berlin-2", target="test"), survey(now))
    world.clusters.report(cluster_settings("hv-1", provider="scvmm"), survey(now))

    [found] = world.clusters.machines("vsphere", "default")
    assert found == ("berlin-1", now, marked)


def test_a_name_that_no_cluster_can_have_is_not_found(world: World) -> None:
    with pytest.raises(ClusterNotFound):
        world.clusters.standing("a" * 1100)


def test_a_report_of_a_newer_version_is_read_and_one_that_cannot_be_read_hides_no_other(
    world: World,
) -> None:
    if not isinstance(world.clusters, DynamoClusters):
        pytest.skip("kept as text in DynamoDB only")
    for name in ("alpha", "beta", "gamma"):
        world.clusters.report(cluster_settings(name), survey(world.clock.now()))
    client = world.clusters._client
    for name, change in (("beta", {"added_next_year": 1}), ("gamma", {"provider": "abacus"})):
        key = {"pk": {"S": "CLUSTERS"}, "sk": {"S": name}}
        item: Any = client.get_item(TableName=TABLE, Key=key)["Item"]
        document = json.loads(item["document"]["S"])
        document["settings"] |= change
        client.put_item(TableName=TABLE, Item={**item, "document": {"S": json.dumps(document)}})
    assert [it.settings.name for it in world.clusters.standings()] == ["alpha", "beta"]
