"""What the simulated Azure remembers of what has ended."""

from __future__ import annotations

from local.simulators.azure.disks import DISKS
from local.simulators.azure.estate import MOST_OPERATIONS, Estate
from local.simulators.azure.resource import Resource
from local.simulators.azure.settings import AzureSimulatorSettings


def test_only_the_newest_operations_can_be_asked_for_and_all_that_have_not_ended() -> None:
    estate = Estate(AzureSimulatorSettings())
    disk = Resource(DISKS, "s", "g", "d", {"location": "westeurope"}, created_at=0.0)
    estate.add(disk)
    slow = estate.begin(disk, at=0.0, seconds=1_000_000.0)
    begun = [estate.begin(disk, at=float(number), seconds=0.5) for number in range(MOST_OPERATIONS)]
    estate.settle(float(MOST_OPERATIONS))
    assert estate.operation(slow.id) is slow
    assert estate.operation(begun[0].id) is None
    assert estate.operation(begun[1].id) is begun[1]
    assert estate.operation(begun[-1].id) is begun[-1]
