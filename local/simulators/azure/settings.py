"""What exists in the simulated Azure from the start, and how long its operations take."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class AzureSimulatorSettings(BaseModel):
    """Durations are seconds, made short for a demo; the real ones, as commonly observed, stand beside them.

    `sizes` gives the vCPUs of each VM size, `images` are `publisher:offer:sku`, and `regional_cores` is the approved
    quota of vCPUs per region. `nic_reservation` is how long a network interface stays reserved for a VM that failed.
    `cost_rows` is the most on a page of costs, `skiptoken_seconds` how long a token is good for that names the next
    page, and `cost_throttle` the headers by which Cost Management asks for patience.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resource_groups: tuple[str, ...] = ("shop",)
    networks: Mapping[str, tuple[str, ...]] = {"default": ("default",)}
    sizes: Mapping[str, int] = {
        "Standard_B1s": 1,
        "Standard_B1ms": 1,
        "Standard_B2s": 2,
        "Standard_D2s_v5": 2,
        "Standard_D4s_v5": 4,
    }
    images: frozenset[str] = frozenset(
        {
            "Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2",
            "Canonical:ubuntu-24_04-lts:server",
            "Debian:debian-12:12-gen2",
        }
    )
    regional_cores: int = 100

    machine_create: float = 4.0  # 30 to 90 s
    machine_delete: float = 3.0  # 30 to 120 s
    disk_create: float = 1.5  # 2 to 5 s
    disk_delete: float = 1.5  # 1 to 5 s
    interface_create: float = 1.5  # 0 to 3 s: a put is often answered with "Succeeded" (azure-cli's recorded tests)
    interface_delete: float = 1.5  # 5 to 12 s
    address_create: float = 1.5  # 2 to 4 s
    address_delete: float = 1.5  # 10 to 15 s
    nic_reservation: float = 6.0  # 180 s, as its error says

    cost_rows: int = 1000
    skiptoken_seconds: float = 600.0  # how long is not known
    cost_throttle: Mapping[str, str] = {
        "Retry-After": "5",
        "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "10",
    }
