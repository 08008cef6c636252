"""Private clusters over HTTP: what callers may see of them, and who may drain them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lambdas.core.access import Grant
from tests.fakes.reports import cluster_settings, survey
from tests.unit.api.conftest import CALLER, Api


@pytest.fixture(autouse=True)
def _clusters(calls: Api) -> None:
    reported = calls.world.clock.now() - timedelta(seconds=40)
    calls.clusters.report(cluster_settings("berlin-1", labels={"site": "berlin"}), survey(reported))
    calls.clusters.report(cluster_settings("test-1", target="test"), survey(reported))


def names(calls: Api) -> list[str]:
    return [it["name"] for it in calls.call("GET", "/clusters").body["items"]]


def test_a_cluster_is_shown_with_its_load_its_claims_and_the_age_of_its_report(calls: Api) -> None:
    [cluster] = calls.call("GET", "/clusters").body["items"]
    assert cluster == {
        "name": "berlin-1",
        "provider": "vsphere",
        "target": "default",
        "labels": {"site": "berlin"},
        "drained": False,
        "reported_at": "2026-11-22T11:59:20.000Z",
        "report_age_seconds": 40,
        "hosts": {"usable": 2, "all": 2},
        "capacity": {"cpu": 32, "memory_mb": 131_072, "disk_gb": 1000},
        "used": {"cpu": 8.0, "memory_mb": 32_768, "disk_gb": 100},
        "claimable": {"cpu": 128, "memory_mb": 131_072, "disk_gb": 1000},
        "claimed": {"cpu": 0, "memory_mb": 0, "disk_gb": 0},
    }


def test_the_clusters_of_a_target_are_shown_to_those_who_may_use_it(calls: Api) -> None:
    assert names(calls) == ["berlin-1"]
    calls.access.grants = [Grant(callers=[CALLER], targets=["vsphere/test"])]
    assert names(calls) == ["berlin-1", "test-1"]


def test_who_is_granted_it_drains_a_cluster_and_ends_that(calls: Api) -> None:
    calls.access.grants = [Grant(callers=[CALLER], clusters="drain")]
    drained = calls.call("PUT", "/clusters/berlin-1/drain")
    assert (drained.status, drained.body["drained"]) == (200, True)
    assert calls.clusters.standing("berlin-1").claimed.drained

    assert calls.call("PUT", "/clusters/berlin-1/drain").status == 200
    ended = calls.call("DELETE", "/clusters/berlin-1/drain")
    assert (ended.status, ended.body["drained"]) == (200, False)


def test_to_drain_takes_a_grant(calls: Api) -> None:
    refused = calls.call("PUT", "/clusters/berlin-1/drain")
    assert refused.status == 403
    assert '"clusters": "drain"' in refused.body["detail"]
    assert not calls.clusters.standing("berlin-1").claimed.drained


@pytest.mark.parametrize("name", ["nowhere", "test-1"])
def test_what_a_caller_may_not_see_is_not_there(calls: Api, name: str) -> None:
    calls.access.grants = [Grant(callers=[CALLER], clusters="drain")]
    answer = calls.call("PUT", f"/clusters/{name}/drain")
    assert answer.status == 404
    assert answer.body["detail"] == f"no cluster {name} has ever reported"
