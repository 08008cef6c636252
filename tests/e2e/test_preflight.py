"""Looking ahead on what is deployed: the API asks the check functions, and they the clouds."""

from __future__ import annotations

import requests

from local.demo.story import REQUEST
from tests.e2e.conftest import Deployment

NOTHING_LEFT = {"azure": "Usage_List", "gcp": "regions.get"}


def test_a_plan_names_the_shortages_of_two_clouds_and_the_saga_is_refused_for_them(deployment: Deployment) -> None:
    for cloud, operation in NOTHING_LEFT.items():
        fault = {"operation": operation, "fault": "capacity", "times": None}
        requests.post(f"{_url(deployment, cloud)}/_simulator/faults", json=[fault], timeout=10)
    try:
        plan = deployment.api.plan(REQUEST.read_bytes(), "application/yaml")
        saga = deployment.wait(deployment.submit())
    finally:
        for cloud in NOTHING_LEFT:
            requests.delete(f"{_url(deployment, cloud)}/_simulator/faults", timeout=10)

    assert {it["provider"] for it in plan["shortages"]} == set(NOTHING_LEFT)
    assert plan["unchecked"] == []
    assert saga["status"] == "ROLLED_BACK"
    short = {it["id"] for it in saga["resources"] if "QuotaExceeded" in (it["error"] or "")}
    assert short == {resource for it in plan["shortages"] for resource in it["resources"]}
    assert all(it["created_at"] is None for it in saga["resources"])
    assert deployment.held() == []


def test_a_plan_of_what_can_be_is_its_order_and_nothing_else(deployment: Deployment) -> None:
    plan = deployment.api.plan(REQUEST.read_bytes(), "application/yaml")

    assert plan["order"] == [["data-aws", "data-azure", "data-gcp"], ["web-aws", "web-azure", "web-gcp"]]
    assert (plan["shortages"], plan["unchecked"]) == ([], [])
    assert deployment.held() == []


def _url(deployment: Deployment, cloud: str) -> str:
    return str(deployment.endpoints._asdict()[cloud])
