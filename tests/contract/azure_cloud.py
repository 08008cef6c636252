"""Azure for the provider contract: the provider over HTTP on the simulated Resource Manager."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from pydantic import TypeAdapter

from lambdas.azure.provider import AzureProvider
from lambdas.core.specs import ResourceDefinition
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.azure import AzureSimulatorSettings, create_app
from tests.contract.cloud import PublicCloud

REGION = "westeurope"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
_KINDS = ("PublicIPAddresses", "NetworkInterfaces", "VirtualMachines", "Disks")
_USUAL: dict[str, dict[str, Any]] = {
    "instance": {
        "image": "Canonical:ubuntu-24_04-lts:server:latest",
        "size": "Standard_B1s",
        "resource_group": "shop",
        "admin_username": "ops",
        "ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ops",
    },
    "disk": {"size_gb": 8, "resource_group": "shop"},
}


def azure_definition(kind: str = "instance", resource_id: str = "web", **spec: Any) -> ResourceDefinition:
    """A small instance or disk in one region."""
    document = {"id": resource_id, "provider": "azure", "kind": kind, "region": REGION}
    return TypeAdapter[ResourceDefinition](ResourceDefinition).validate_python(
        {**document, "spec": {**_USUAL[kind], **spec}}
    )


@contextmanager
def azure_cloud(
    clock: VirtualClock | None = None, settings: AzureSimulatorSettings | None = None
) -> Iterator[PublicCloud]:
    """A fresh cloud; its managed identity is in the environment as long as it lasts."""
    clock = clock or VirtualClock()
    simulator = create_app(clock, clock.advance, settings)
    with serve(simulator, name="azure") as server:
        environ = {
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "AZURE_RESOURCE_MANAGER_ENDPOINT": server.url,
            "IDENTITY_ENDPOINT": f"{server.url}/_identity/token",
            "IDENTITY_HEADER": "local",
        }
        with patch.dict(os.environ, environ):
            yield PublicCloud(
                provider=AzureProvider.from_environment(os.environ),
                clock=clock,
                definition=azure_definition,
                arm=simulator.faults.arm,
                disarm=simulator.faults.disarm,
                inventory=simulator.inventory,
                calls=lambda: simulator.log,
                creates=tuple(f"{kind}_CreateOrUpdate" for kind in _KINDS),
                deletes=tuple(f"{kind}_Delete" for kind in _KINDS),
                limits="Usage_List",
                unknown_size="Standard_Z99",
            )
