"""The simulated Compute Engine, driven by the unmodified SDK: what the tests of both need to say things briefly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google.cloud import compute_v1
from google.oauth2.credentials import Credentials

from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.gcp import GcpSimulator, GcpTiming

ZONE = "europe-west1-b"
SCOPE: dict[str, Any] = {"project": "shop", "zone": ZONE}
DEBIAN = "projects/debian-cloud/global/images/family/debian-12"


@dataclass(frozen=True)
class ComputeEngine:
    """A simulator on a clock that the test moves, and the SDK's clients on it."""

    url: str
    simulator: GcpSimulator
    clock: VirtualClock
    instances: compute_v1.InstancesClient
    disks: compute_v1.DisksClient
    operations: compute_v1.ZoneOperationsClient

    def insert_instance(self, request_id: str | None = None, **fields: Any) -> compute_v1.Operation:
        """Insert `instance_body(**fields)`."""
        body = instance_body(**fields)
        request = compute_v1.InsertInstanceRequest(instance_resource=body, request_id=request_id, **SCOPE)
        return self.instances.insert_unary(request, retry=None)

    def insert_disk(self, name: str = "data", **fields: Any) -> compute_v1.Operation:
        """Insert a disk."""
        disk = compute_v1.Disk(name=name, **{"size_gb": 20, **fields})
        return self.disks.insert_unary(disk_resource=disk, **SCOPE, retry=None)

    def operation(self, operation: compute_v1.Operation) -> compute_v1.Operation:
        """The operation as it stands now."""
        return self.operations.get(operation=operation.name, **SCOPE)

    def names(self) -> list[str]:
        """The names of all that exists."""
        return sorted(resource["name"] for resource in self.simulator.inventory())


def instance_body(name: str = "web", data_disks: tuple[str, ...] = (), **fields: Any) -> compute_v1.Instance:
    """A valid instance, `fields` overriding what it would be."""
    boot = compute_v1.AttachedDisk(
        boot=True,
        auto_delete=True,
        initialize_params=compute_v1.AttachedDiskInitializeParams(disk_name=f"{name}-boot", source_image=DEBIAN),
    )
    data = [
        compute_v1.AttachedDisk(source=f"projects/shop/zones/{ZONE}/disks/{disk}", auto_delete=False)
        for disk in data_disks
    ]
    defaults = {
        "name": name,
        "machine_type": f"zones/{ZONE}/machineTypes/e2-small",
        "disks": [boot, *data],
        "network_interfaces": [compute_v1.NetworkInterface(network="global/networks/default")],
    }
    return compute_v1.Instance(**{**defaults, **fields})


@contextmanager
def compute_engine(timing: GcpTiming | None = None) -> Iterator[ComputeEngine]:
    """A fresh Compute Engine on loopback."""
    clock = VirtualClock()
    simulator = GcpSimulator(clock, clock.advance, timing)
    with serve(simulator, name="gcp") as server:
        options: dict[str, Any] = {
            "credentials": Credentials(token="any"),  # type: ignore[no-untyped-call]
            "client_options": {"api_endpoint": server.url},
        }
        yield ComputeEngine(
            url=server.url,
            simulator=simulator,
            clock=clock,
            instances=compute_v1.InstancesClient(**options),
            disks=compute_v1.DisksClient(**options),
            operations=compute_v1.ZoneOperationsClient(**options),
        )
