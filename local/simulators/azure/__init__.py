"""Azure Resource Manager on this machine: virtual machines, disks, interfaces, addresses, and what they cost.

What it deviates from the real one in, on purpose: the virtual networks named in its settings exist in every resource
group and every region, any bearer token is as good as another, and everything is quicker (see `settings`).
"""

from __future__ import annotations

from collections.abc import Callable

from local.clock import Clock
from local.simulators.azure.settings import AzureSimulatorSettings
from local.simulators.azure.simulator import AzureSimulator
from local.simulators.bill import Bill

__all__ = ["AzureSimulator", "AzureSimulatorSettings", "create_app"]


def create_app(
    clock: Clock,
    sleep: Callable[[float], None],
    settings: AzureSimulatorSettings | None = None,
    bill: Bill | None = None,
) -> AzureSimulator:
    """A simulated Azure, empty but for its resource groups and networks; `sleep` is what a slow answer waits with.

    Its subscriptions cost what the bill says.
    """
    return AzureSimulator(clock, sleep, settings or AzureSimulatorSettings(), bill or Bill())
