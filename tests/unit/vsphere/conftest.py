"""A simulated vCenter for each test, and what a saga does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.core.clusters import ClusterSettings
from lambdas.core.model import Intent
from lambdas.vsphere.provider import VsphereProvider
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.faults import Fault, FaultKind
from local.simulators.vsphere import SAMPLE, VsphereSettings, VsphereSimulator, create_app
from tests.contract.vsphere_cloud import PASSWORD, USER, Vault, cluster_settings, vsphere_definition, vsphere_provider


@dataclass
class World:
    """The vCenter, and providers for its clusters CL01, CL02 and CL03 as `cl01`, `cl02` and `cl03`."""

    simulator: VsphereSimulator
    clock: VirtualClock
    url: str
    vault: Vault = field(default_factory=lambda: Vault(vcenter={"username": USER, "password": PASSWORD}))

    def provider(self, *clusters: ClusterSettings, **settings: Any) -> VsphereProvider:
        """A provider that knows nothing of what others of this test did."""
        declared = clusters or tuple(cluster_settings(self.url, name) for name in ("cl01", "cl02", "cl03"))
        return vsphere_provider(self.clock, *declared, vault=self.vault, **settings)

    def intent(self, resource_id: str = "web", cluster: str = "cl02", **spec: Any) -> Intent:
        return Intent(
            saga_id="s0test0000000001",
            definition=vsphere_definition("instance", resource_id, **spec),
            labels={"team": "payments"},
            cluster=cluster,
        )

    def begin(self, provider: VsphereProvider, intent: Intent, part: str) -> Intent:
        """Create one part and remember its handle, as the ledger does."""
        return intent.model_copy(update={"operations": {**intent.operations, part: provider.create(intent, part)}})

    def made(self, provider: VsphereProvider, intent: Intent, until: str = "power") -> Intent:
        """Create and look until a part is ready, a second at a time."""
        for part in provider.parts(intent):
            intent = self.begin(provider, intent, part)
            for _ in range(60):
                if provider.observe(intent, part).ready:
                    break
                self.clock.advance(1)
            else:
                raise AssertionError(f"{part} never became ready")
            if part == until:
                break
        return intent

    def arm(self, operation: str, fault: FaultKind, **details: Any) -> None:
        self.simulator.faults.arm([Fault(operation=operation, fault=fault, **details)])

    def calls(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.simulator.log)


@contextmanager
def _vcenter(settings: VsphereSettings) -> Iterator[World]:
    clock = VirtualClock()
    simulator = create_app(clock, clock.advance, settings)
    with serve(simulator, name="vsphere") as server:
        yield World(simulator, clock, server.url)


@pytest.fixture
def world() -> Iterator[World]:
    with _vcenter(SAMPLE) as made:
        yield made


@pytest.fixture
def world_with() -> Iterator[Callable[..., World]]:
    """A vCenter whose settings differ from the sample's."""
    opened: list[Any] = []

    def make(**changes: Any) -> World:
        context = _vcenter(SAMPLE.model_copy(update=changes))
        opened.append(context)
        return context.__enter__()

    yield make
    for context in opened:
        context.__exit__(None, None, None)
