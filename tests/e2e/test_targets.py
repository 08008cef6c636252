"""Targets and grants, as deployed: a saga across two targets of each cloud, and callers who are kept apart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import boto3
import pytest

from cli.client import ApiClient, ApiProblem
from local.assembly import ELSEWHERE
from local.machine import REGION
from tests.e2e.conftest import Deployment

GRANTS: Final = "/skysaga/grants"
LOCAL: Final = "arn:aws:iam::123456789012:user/local"
GUEST: Final = "arn:aws:iam::123456789012:user/guest"
PLACES: Final = {
    "aws": ("123456789012", "210987654321"),
    "azure": ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"),
    "gcp": ("skysaga-local", "skysaga-elsewhere"),
}


@pytest.fixture
def grant(deployment: Deployment) -> Iterator[Callable[..., None]]:
    ssm = boto3.client(
        "ssm",
        region_name=REGION,
        endpoint_url=deployment.endpoints.aws,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )

    def put(*grants: dict[str, Any]) -> None:
        ssm.put_parameter(Name=GRANTS, Value=json.dumps({"grants": grants}), Overwrite=True)
        time.sleep(1.1)  # what was read before is a second old by then

    yield put
    put()


def disk(cloud: str, target: str | None) -> dict[str, Any]:
    place: dict[str, dict[str, Any]] = {
        "aws": {"region": "eu-west-1", "spec": {"size_gb": 8, "zone": "eu-west-1a"}},
        "azure": {"region": "westeurope", "spec": {"size_gb": 8, "resource_group": "shop"}},
        "gcp": {"zone": "europe-west1-b", "spec": {"size_gb": 10}},
    }
    named = {"target": target} if target else {}
    return {"id": f"{cloud}-{target or 'here'}", "provider": cloud, "kind": "disk", **place[cloud], **named}


def submit(api: ApiClient, key: str, *resources: dict[str, Any]) -> str:
    document = {"name": "targets", "resources": resources}
    saga_id: str = api.submit(json.dumps(document).encode(), "application/json", key)["id"]
    return saga_id


def place_of(found: dict[str, Any]) -> str:
    """The account, subscription or project that something is in, as its cloud says."""
    return str(found.get("account") or found["id"].strip("/").split("/")[1])


def test_one_saga_provisions_in_two_targets_of_each_cloud_and_empties_both(
    deployment: Deployment, grant: Callable[..., None]
) -> None:
    resources = [disk(cloud, target) for cloud in PLACES for target in (None, ELSEWHERE)]
    with pytest.raises(ApiProblem) as refused:
        submit(deployment.api, "two-targets-refused", *resources)
    grant({"callers": [LOCAL], "targets": [f"*/{ELSEWHERE}"]})

    saga = deployment.wait(submit(deployment.api, "two-targets", *resources))
    held = deployment.held()
    deployment.destroy(saga["id"])

    assert (refused.value.status, len(refused.value.problem["errors"])) == (403, 3)
    assert saga["status"] == "COMMITTED"
    assert {it["id"]: it["target"] for it in saga["resources"]} == {
        it["id"]: it.get("target", "default") for it in resources
    }
    there = sorted((place_of(it), it["marks"]["skysaga-resource"]) for it in held)
    assert there == sorted(
        (place, f"{cloud}-{name}")
        for cloud, places in PLACES.items()
        for place, name in zip(places, ("here", ELSEWHERE), strict=True)
    )
    assert deployment.held() == []


def test_nobody_reaches_a_saga_of_somebody_elses_unless_granted(
    deployment: Deployment, grant: Callable[..., None]
) -> None:
    saga_id = submit(deployment.api, "mine", disk("gcp", None))
    deployment.wait(saga_id)
    hidden = []
    for call in (deployment.guest.get, deployment.guest.cancel, deployment.guest.destroy):
        with pytest.raises(ApiProblem) as problem:
            call(saga_id)
        hidden.append(problem.value.status)
    grant({"callers": [GUEST], "sagas": "all"})

    seen = deployment.guest.get(saga_id)
    version = seen["version"]
    deployment.guest.destroy(saga_id)
    for _ in deployment.guest.follow(saga_id, version):
        pass

    assert hidden == [404, 404, 404]
    assert (seen["caller"], seen["status"]) == (LOCAL, "COMMITTED")
    assert deployment.held() == []
