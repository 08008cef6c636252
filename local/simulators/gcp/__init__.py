"""Compute Engine on this machine, as the unmodified SDK sees it: zones, instances, disks, operations."""

from local.simulators.gcp.credentials import write_service_account
from local.simulators.gcp.settings import GcpTiming
from local.simulators.gcp.simulator import GcpSimulator, create_app

__all__ = ["GcpSimulator", "GcpTiming", "create_app", "write_service_account"]
