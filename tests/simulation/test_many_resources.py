"""A saga with so many resources that it is divided, as it is, on clouds that work."""

from __future__ import annotations

from local.simulators.faults import Fault, FaultKind
from tests.fakes.documents import gcp_instance
from tests.simulation.world import World


def test_a_failure_at_the_last_of_many_rolls_back_all(world: World) -> None:
    disks = [
        {"id": f"disk-{number}", "provider": "gcp", "kind": "disk", "zone": "europe-west1-b", "spec": {"size_gb": 10}}
        for number in range(120)
    ]
    last = gcp_instance("web", depends_on=["disk-0"])
    world.clouds["gcp"].arm([Fault(operation="instances.insert", fault=FaultKind.CAPACITY)])

    saga, resources = world.provision({"name": "many", "preflight": False, "resources": [*disks, last]})

    assert saga.division is not None
    assert (saga.status, {it.status for it in resources}) == ("ROLLED_BACK", {"ABSENT"})
    assert all(it.ready_at for it in resources if it.id != "web")
    assert world.inventory() == []
