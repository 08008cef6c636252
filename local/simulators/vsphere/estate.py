"""The vCenter that there is where nobody describes another: two datacenters, three clusters of different sizes.

| cluster | datacenter | hosts | memory | datastores | DRS | peculiar |
|---|---|---|---|---|---|---|
| CL01 | DC1 | 4 | 4 x 512 GiB | san-01 (20 TiB), san-02 (10 TiB) | automated | big and half full |
| CL02 | DC1 | 3 | 3 x 256 GiB | san-02, san-03 (8 TiB) | off | one host is in maintenance |
| CL03 | DC2 | 2 | 2 x 128 GiB | vsan-03 (4 TiB) | off | the templates have to be copied there |

The templates `ubuntu-24.04` and `debian-12` are on san-02, which CL01 and CL02 mount. Networks are `VM Network` and,
on DC1's distributed switch, `apps`.
"""

from __future__ import annotations

from typing import Final

from local.simulators.vsphere.settings import (
    ClusterSpec,
    DatacenterSpec,
    DatastoreSpec,
    HostSpec,
    MachineSpec,
    NetworkSpec,
    VsphereSettings,
)

_CL01: Final = ClusterSpec(
    name="CL01",
    hosts=tuple(HostSpec(name=f"esx-1{number}", cores=32, memory_gb=512) for number in range(1, 5)),
    datastores=("san-01", "san-02"),
    networks=("VM Network", "apps"),
    drs=True,
)
_CL02: Final = ClusterSpec(
    name="CL02",
    hosts=(
        HostSpec(name="esx-21", local_datastore_gb=400),
        HostSpec(name="esx-22", local_datastore_gb=400),
        HostSpec(name="esx-23", maintenance=True),
    ),
    datastores=("san-02", "san-03"),
    networks=("VM Network", "apps"),
)
_CL03: Final = ClusterSpec(
    name="CL03",
    hosts=(HostSpec(name="esx-31", cores=8, memory_gb=128), HostSpec(name="esx-32", cores=8, memory_gb=128)),
    datastores=("vsan-03",),
)


def _template(name: str, disk_gb: int) -> MachineSpec:
    return MachineSpec(
        name=name, host="esx-21", datastore="san-02", cpu=1, memory_gb=1, disk_gb=disk_gb, on=False, template=True
    )


def _neighbours() -> tuple[MachineSpec, ...]:
    """Machines of other people on CL01 and CL02."""
    big = (
        MachineSpec(
            name=f"erp-{number}", host=f"esx-1{number % 4 + 1}", datastore="san-01", cpu=16, memory_gb=96, disk_gb=500
        )
        for number in range(8)
    )
    small = (
        MachineSpec(name=f"ci-{number}", host="esx-21", datastore="san-03", cpu=4, memory_gb=16, disk_gb=80, load=0.8)
        for number in range(4)
    )
    return (*big, *small)


SAMPLE: Final = VsphereSettings(
    datacenters=(
        DatacenterSpec(
            name="DC1",
            clusters=(_CL01, _CL02),
            datastores=(
                DatastoreSpec(name="san-01", capacity_gb=20_480),
                DatastoreSpec(name="san-02", capacity_gb=10_240),
                DatastoreSpec(name="san-03", capacity_gb=8_192),
            ),
            networks=(NetworkSpec(name="VM Network"), NetworkSpec(name="apps", distributed=True)),
            machines=(_template("ubuntu-24.04", 10), _template("debian-12", 8), *_neighbours()),
        ),
        DatacenterSpec(
            name="DC2",
            clusters=(_CL03,),
            datastores=(DatastoreSpec(name="vsan-03", capacity_gb=4_096),),
            machines=(MachineSpec(name="files", host="esx-31", datastore="vsan-03", cpu=2, memory_gb=8, disk_gb=900),),
        ),
    )
)
