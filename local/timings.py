"""How quick the simulated public clouds are: nobody who tries skysaga out waits as long as for the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from local.simulators.azure import AzureSimulatorSettings
from local.simulators.gcp import GcpTiming
from local.simulators.gcp.bigquery import BigQueryTiming

_QUICK_AWS: Final = MappingProxyType({"RunInstances": 1.6})
_QUICK_AZURE: Final = AzureSimulatorSettings(
    machine_create=1.6,
    machine_delete=1.0,
    disk_create=0.7,
    disk_delete=0.5,
    interface_create=0.0,
    interface_delete=0.5,
    address_create=0.5,
    address_delete=0.5,
)
_QUICK_BIGQUERY: Final = BigQueryTiming(query=0.3)
_QUICK_GCP: Final = GcpTiming(instance_insert=1.6, instance_delete=1.0, disk_insert=0.7, disk_delete=0.5)


class Timings(NamedTuple):
    """How long each cloud takes for its things; EC2's overrides of its defaults are seconds by operation."""

    aws: Mapping[str, float] = _QUICK_AWS
    azure: AzureSimulatorSettings = _QUICK_AZURE
    gcp: GcpTiming = _QUICK_GCP
    bigquery: BigQueryTiming = _QUICK_BIGQUERY


QUICK: Final = Timings()
