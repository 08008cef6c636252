"""Azure Resource Manager on this machine: virtual machines, disks, network interfaces and public addresses.

What it deviates from the real one in, on purpose: the virtual networks named in its settings exist in every resource
group and every region, any bearer token is as good as another, and everything is quicker (see `settings`).
"""

from __future__ import annotations

from collections.abc import Callable

from local.clock import Clock
from local.simulators.azure.settings import AzureSimulatorSettings
from local.simulators.azure.simulator import AzureSimulator

__all__ = ["AzureSimulator", "AzureSimulatorSettings", "create_app"]


def create_app(
    clock: Clock, sleep: Callable[[float], None], settings: AzureSimulatorSettings | None = None
) -> AzureSimulator:
    """A simulated Azure, empty but for its resource groups and networks; `sleep` is what a slow answer waits with."""
    return AzureSimulator(clock, sleep, settings or AzureSimulatorSettings())
