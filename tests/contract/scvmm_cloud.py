"""System Center VMM for the provider contract: the provider over PowerShell remoting on the simulated VMM server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.specs import ScvmmInstance
from lambdas.scvmm.clients import VmmServers
from lambdas.scvmm.provider import ScvmmProvider
from lambdas.scvmm.settings import ScvmmSettings
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.scvmm import create_app
from tests.contract.cloud import CloudUnderTest

CLUSTER = "hyperv-one"
USER = r"CORP\skysaga"


def scvmm_definition(kind: str, resource_id: str, **spec: Any) -> ScvmmInstance:
    """A small machine; a public address is not to be had on a private cluster."""
    spec.pop("public_address", None)
    document = {"id": resource_id, "provider": "scvmm", "kind": kind}
    placement = {"cpu": 2, "memory_gb": 4, "disk_gb": 30}
    return ScvmmInstance.model_validate(
        {**document, "placement": placement, "spec": {"image": "ubuntu-24.04", "network": "Backend", **spec}}
    )


class SecretsOf:
    """A Secrets Manager with one secret for everybody, which tests may change; `reads` counts."""

    def __init__(self, **login: str) -> None:
        self.login = login
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 -- the API's own name
        """The secret as it is now."""
        self.reads += 1
        return {"SecretString": json.dumps(self.login)}


class ClockOf:
    """The core's clock on a simulator's."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return datetime.fromtimestamp(self._clock.now(), UTC)


@contextmanager
def scvmm_cloud(clock: VirtualClock | None = None) -> Iterator[CloudUnderTest]:
    """A fresh VMM server; its inventory leaves out what is none of ours."""
    clock = clock or VirtualClock()
    simulator = create_app(clock, clock.advance)
    with serve(simulator, name="scvmm") as server:
        cluster = ClusterSettings(
            name=CLUSTER, provider="scvmm", server=f"{server.url}/wsman", secret="vmm", cluster="HVCL01"
        )
        settings = ScvmmSettings()
        secrets = Secrets(SecretsOf(username=USER, password=simulator.users[USER]))
        yield CloudUnderTest(
            provider=ScvmmProvider({CLUSTER: cluster}, VmmServers(secrets, settings), settings, ClockOf(clock)),
            clock=clock,
            definition=scvmm_definition,
            arm=simulator.faults.arm,
            disarm=simulator.faults.disarm,
            inventory=lambda: [it for it in simulator.inventory() if it["marks"]],
            calls=lambda: simulator.log,
            creates=("New-SCVirtualMachine",),
            deletes=("Stop-SCVirtualMachine", "Remove-SCVirtualMachine"),
            kinds=("instance",),
            cluster=CLUSTER,
        )
