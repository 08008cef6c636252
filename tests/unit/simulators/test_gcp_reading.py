"""Lists, filters, pages and stale reads of the simulated Compute Engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import compute_v1

from local.simulators.faults import Fault, FaultKind
from tests.unit.gcp.compute_engine import SCOPE, ZONE, ComputeEngine, compute_engine


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine() as cloud:
        for number, team in enumerate(["payments", "payments", "search"]):
            cloud.insert_disk(f"disk-{number}", labels={"team": team, "number": str(number)})
        yield cloud


def listed(cloud: ComputeEngine, expression: str = "", page: int | None = None) -> list[str]:
    request = compute_v1.ListDisksRequest(filter=expression, max_results=page, **SCOPE)
    return [disk.name for disk in cloud.disks.list(request)]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", ["disk-0", "disk-1", "disk-2"]),
        ("labels.team=payments", ["disk-0", "disk-1"]),
        ('(labels.team = "payments") (labels.number = "1")', ["disk-1"]),
        ("labels.team eq payments AND name ne disk-0", ["disk-1"]),
        ("status != CREATING", []),
        ("labels.missing = x", []),
        ("labels.team:*", ["disk-0", "disk-1", "disk-2"]),
        ("labels.team:* labels.number = 1", ["disk-1"]),
        ("labels.missing:*", []),
    ],
)
def test_a_filter_selects(cloud: ComputeEngine, expression: str, names: list[str]) -> None:
    assert listed(cloud, expression) == names


@pytest.mark.parametrize("expression", ["labels.team", "(name = x", "name = x OR name = y", "name > x"])
def test_a_filter_beyond_equality_is_refused_rather_than_ignored(cloud: ComputeEngine, expression: str) -> None:
    with pytest.raises(BadRequest, match="filter"):
        listed(cloud, expression)


def test_a_list_comes_in_pages(cloud: ComputeEngine) -> None:
    assert listed(cloud, page=2) == ["disk-0", "disk-1", "disk-2"]
    assert [call.operation for call in cloud.simulator.log].count("disks.list") == 2


def test_an_aggregated_list_groups_by_zone(cloud: ComputeEngine) -> None:
    scopes = dict(cloud.disks.aggregated_list(project="shop"))
    assert list(scopes) == [f"zones/{ZONE}"]
    assert len(scopes[f"zones/{ZONE}"].disks) == 3


def test_a_stale_read_does_not_see_what_is_new(cloud: ComputeEngine) -> None:
    cloud.clock.advance(10)
    cloud.insert_disk("new")
    stale = Fault(operation="disks.*", fault=FaultKind.STALE, delay=5, times=2)
    cloud.simulator.faults.arm([stale])
    assert "new" not in listed(cloud)
    with pytest.raises(NotFound):
        cloud.disks.get(disk="new", **SCOPE)
    assert "new" in listed(cloud)


def test_a_stale_read_sees_what_is_old_enough(cloud: ComputeEngine) -> None:
    cloud.clock.advance(10)
    cloud.simulator.faults.arm([Fault(operation="disks.list", fault=FaultKind.STALE, delay=5)])
    assert listed(cloud) == ["disk-0", "disk-1", "disk-2"]
