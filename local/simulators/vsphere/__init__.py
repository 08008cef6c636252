"""A vCenter on this machine, as the unmodified pyvmomi sees it: clusters, hosts, machines, tasks, sessions.

Where it is kinder than the real one: every user may do everything, a clone's disk has its full size at once, no
machine needs a guest, and no host fails unless it is told to. Where it is stricter: a host refuses machines by what
they are configured with (`memory_overcommit`), where a real one goes by reservations.
"""

from local.simulators.vsphere.estate import SAMPLE
from local.simulators.vsphere.settings import (
    ClusterSpec,
    DatacenterSpec,
    DatastoreSpec,
    HostSpec,
    MachineSpec,
    NetworkSpec,
    VsphereSettings,
)
from local.simulators.vsphere.simulator import VsphereSimulator, create_app

__all__ = [
    "SAMPLE",
    "ClusterSpec",
    "DatacenterSpec",
    "DatastoreSpec",
    "HostSpec",
    "MachineSpec",
    "NetworkSpec",
    "VsphereSettings",
    "VsphereSimulator",
    "create_app",
]
