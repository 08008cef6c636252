"""vSphere for the provider contract: the provider over SOAP on the simulated vCenter."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.model import MARK_SAGA
from lambdas.core.specs import VsphereInstance
from lambdas.vsphere.clients import Sessions
from lambdas.vsphere.provider import VsphereProvider
from lambdas.vsphere.settings import VsphereSettings
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators import vsphere
from tests.contract.cloud import CloudUnderTest

USER, PASSWORD = "skysaga@vsphere.local", "local"


class Vault:
    """Secrets Manager, as far as `Secrets` asks it; counts how often it is read."""

    def __init__(self, **logins: Mapping[str, str]) -> None:
        self.logins = dict(logins)
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 -- boto3's name
        self.reads += 1
        return {"SecretString": json.dumps(self.logins[SecretId])}


class Moments:
    """The simulator's clock as the core wants it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def vsphere_definition(kind: str, resource_id: str, **spec: Any) -> VsphereInstance:
    """A small machine; whatever a private cloud has not, such as public addresses, is left out."""
    placement = {name: spec.pop(name) for name in ("cpu", "memory_gb", "disk_gb") if name in spec}
    spec.pop("public_address", None)
    document = {
        "id": resource_id,
        "provider": "vsphere",
        "kind": kind,
        "placement": {"cpu": 2, "memory_gb": 4, "disk_gb": 20, **placement},
        "spec": {"image": "ubuntu-24.04", **spec},
    }
    return VsphereInstance.model_validate(document)


def cluster_settings(server: str, name: str = "cl02", **changes: Any) -> ClusterSettings:
    """A cluster of the sample estate as a deployment declares it."""
    declared = {"cluster": name.upper(), "folder": "skysaga", "network": "VM Network", "secret": "vcenter", **changes}
    return ClusterSettings(name=name, provider="vsphere", server=server, **declared)


def vsphere_provider(
    clock: VirtualClock, *clusters: ClusterSettings, vault: Vault | None = None, **settings: Any
) -> VsphereProvider:
    """The provider for some clusters, patient enough for a busy machine."""
    patience = VsphereSettings.model_validate({"VSPHERE_TIMEOUT": 30, **settings})
    secrets = Secrets(vault or Vault(vcenter={"username": USER, "password": PASSWORD}))
    sessions = Sessions(secrets, patience)
    return VsphereProvider({it.name: it for it in clusters}, sessions, patience, Moments(clock))


@contextmanager
def vsphere_cloud(clock: VirtualClock | None = None) -> Iterator[CloudUnderTest]:
    """A fresh vCenter, and its cluster CL02, where nothing but the provider chooses hosts."""
    clock = clock or VirtualClock()
    simulator = vsphere.create_app(clock, clock.advance)
    with serve(simulator, name="vsphere") as server:
        yield CloudUnderTest(
            provider=vsphere_provider(clock, cluster_settings(server.url)),
            clock=clock,
            definition=vsphere_definition,
            arm=simulator.faults.arm,
            disarm=simulator.faults.disarm,
            inventory=lambda: [it for it in simulator.inventory() if MARK_SAGA in it["marks"]],
            calls=lambda: simulator.log,
            creates=("CloneVM_Task", "ReconfigVM_Task", "PowerOnVM_Task"),
            deletes=("PowerOffVM_Task", "Destroy_Task"),
            kinds=("instance",),
            cluster="cl02",
        )
