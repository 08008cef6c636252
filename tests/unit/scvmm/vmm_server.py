"""The simulated VMM server with the provider on it: what the tests of both need to say things briefly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.model import Intent
from lambdas.core.specs import ScvmmInstance
from lambdas.scvmm.clients import VmmServers, VmmShells
from lambdas.scvmm.provider import ScvmmProvider
from lambdas.scvmm.settings import ScvmmSettings
from local.clock import VirtualClock
from local.http_server import HttpServer, serve
from local.simulators.faults import Fault, FaultKind
from local.simulators.scvmm import SAMPLE, Estate, ScvmmSimulator, ScvmmTiming
from tests.contract.scvmm_cloud import USER, ClockOf, SecretsOf

CLUSTER = "hyperv-one"
PLAIN = {"SCVMM_AUTH": "basic", "SCVMM_PLAIN_BASIC": "true"}
"""What is quickest, where how we sign in is no matter."""


@dataclass
class VmmServer:
    """A simulator on a clock that the test moves, and everything of ours that reaches it."""

    simulator: ScvmmSimulator
    clock: VirtualClock
    server: HttpServer
    vault: SecretsOf
    provider: ScvmmProvider
    shells: VmmShells

    def arm(self, operation: str, fault: FaultKind, times: int | None = 1, delay: float = 0) -> None:
        """Arm one fault."""
        self.simulator.faults.arm([Fault(operation=operation, fault=fault, times=times, delay=delay)])

    def calls(self, operation: str) -> int:
        """How often an operation was called."""
        return sum(call.operation == operation for call in self.simulator.log)

    def begin(self, intent: Intent, part: str) -> Intent:
        """Begin a part and remember its handle."""
        handle = self.provider.create(intent, part)
        return intent.model_copy(update={"operations": {**intent.operations, part: handle}})

    def provision(self, intent: Intent) -> Intent:
        """Bring a machine up, with all the time that takes."""
        for part in self.provider.parts(intent):
            intent = self.begin(intent, part)
            self.clock.advance(10)
            assert self.provider.observe(intent, part).ready
        return intent

    def status(self, name: str) -> list[str]:
        """The status of each machine of a name."""
        return [it["status"] for it in self.simulator.inventory() if it["name"] == name]


@contextmanager
def vmm_server(
    estate: Estate = SAMPLE,
    timing: ScvmmTiming | None = None,
    network: str = "",
    url: str = "",
    **environ: str,
) -> Iterator[VmmServer]:
    """A fresh VMM server; `environ` is what our settings are read from, besides PLAIN."""
    clock = VirtualClock()
    simulator = ScvmmSimulator(clock, clock.advance, estate, timing)
    vault = SecretsOf(username=USER, password=simulator.users[USER])
    settings = ScvmmSettings.from_environment({**PLAIN, **environ})
    servers = VmmServers(Secrets(vault), settings)
    with serve(simulator, name="scvmm") as server:
        address = url or f"{server.url}/wsman"
        clusters = {
            name: ClusterSettings(
                name=name, provider="scvmm", server=address, secret="vmm", cluster=theirs, network=network
            )
            for name, theirs in ((CLUSTER, "HVCL01"), ("hyperv-two", "HVCL02"), ("hyperv-none", "HVCL99"))
        }
        provider = ScvmmProvider(clusters, servers, settings, ClockOf(clock))
        yield VmmServer(simulator, clock, server, vault, provider, servers.shells(address, "vmm"))


def definition(resource_id: str = "web", image: str = "ubuntu-24.04", **fields: Any) -> ScvmmInstance:
    """A small machine; `network` goes with the image, anything else into the placement."""
    spec = {"image": image, **({"network": fields.pop("network")} if "network" in fields else {})}
    placement = {"cpu": 2, "memory_gb": 4, "disk_gb": 20, **fields}
    return ScvmmInstance.model_validate(
        {"id": resource_id, "provider": "scvmm", "kind": "instance", "placement": placement, "spec": spec}
    )


def intent(
    resource_id: str = "web", cluster: str | None = CLUSTER, labels: dict[str, str] | None = None, **fields: Any
) -> Intent:
    """An intent of the saga `s0test0000000001`."""
    return Intent(
        saga_id="s0test0000000001", definition=definition(resource_id, **fields), labels=labels or {}, cluster=cluster
    )
