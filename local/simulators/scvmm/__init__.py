"""A System Center VMM server on this machine, as unmodified pypsrp sees it: WSMan, PowerShell, VMM's cmdlets."""

from local.simulators.scvmm.estate import SAMPLE, Estate
from local.simulators.scvmm.settings import ScvmmTiming
from local.simulators.scvmm.simulator import ScvmmSimulator, create_app

__all__ = ["SAMPLE", "Estate", "ScvmmSimulator", "ScvmmTiming", "create_app"]
