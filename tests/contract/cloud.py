"""What the provider contract needs of a cloud: its provider on a simulator, on a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.core.model import Intent
from lambdas.core.ports.provider import Provider, PublicProvider
from lambdas.core.specs import ResourceDefinition
from local.clock import VirtualClock
from local.simulators.faults import Fault


@dataclass(frozen=True)
class CloudUnderTest:
    """A provider, and the simulated cloud it drives over its real protocol.

    `definition(kind, resource_id, **spec)` makes a valid resource of this cloud, `spec` overriding its fields; a disk
    made with no overrides can be attached to an instance made with `disks=[...]`. A private cloud's instance has no
    public address and ignores one that is asked for; a cloud without separate disks has the `kinds` `instance` only.
    `creates` and `deletes` are the simulator's names of the calls that create and delete an instance or a disk.
    `inventory()` is everything that exists with our marks or by our names, terminated instances excepted.
    """

    provider: Provider
    clock: VirtualClock
    definition: Callable[..., ResourceDefinition]
    arm: Callable[[list[Fault]], None]
    disarm: Callable[[], None]
    inventory: Callable[[], list[dict[str, Any]]]
    calls: Callable[[], list[Any]]
    creates: tuple[str, ...]
    deletes: tuple[str, ...]
    kinds: tuple[str, ...] = ("instance", "disk")
    cluster: str | None = None

    def intent(self, kind: str = "instance", resource_id: str = "web", **spec: Any) -> Intent:
        """An intent of the saga `s0test0000000001`, on the cluster of a private cloud."""
        if kind not in self.kinds:
            pytest.skip(f"this cloud has no {kind} of its own")
        return Intent(
            saga_id="s0test0000000001",
            definition=self.definition(kind, resource_id, **spec),
            labels={"team": "payments"},
            cluster=self.cluster,
        )


@dataclass(frozen=True)
class PublicCloud(CloudUnderTest):
    """A cloud that is asked for shortages and for what it holds, too.

    `limits` is the simulator's name of the call that tells an instance's quota; `unknown_size` is one that its cloud
    does not have.
    """

    provider: PublicProvider
    limits: str = field(kw_only=True)
    unknown_size: str = field(kw_only=True)
