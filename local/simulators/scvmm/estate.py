r"""What the VMM server manages before anybody asks it for anything: clusters, volumes, templates, networks, users.

The sample estate has two clusters on one server, the templates `ubuntu-24.04` (20 GiB) and `windows-2022` (60 GiB), the
networks `VM Network` (which the templates are on) and `Backend`, and the user `CORP\skysaga`:

| cluster  | hosts                                                  | shared volumes          | foreign machines |
|----------|--------------------------------------------------------|-------------------------|------------------|
| `HVCL01` | hv01, hv02, hv03: 32 threads and 128 GiB each          | Volume1, Volume2: 2 TiB | dc01, files01    |
| `HVCL02` | hv11, hv12 and, in maintenance, hv13: 64, 256 GiB each | Volume1: 4 TiB          | sql01            |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Host:
    """A Hyper-V host: its threads, memory in MiB, and whether machines can be placed on it."""

    name: str
    processors: int
    memory_mb: int
    maintenance: bool = False
    responding: bool = True


@dataclass(frozen=True)
class Volume:
    """A cluster shared volume, by the path that it has on every host; GiB, of which `used_gb` are not for machines."""

    path: str
    capacity_gb: int
    used_gb: int = 0


@dataclass(frozen=True)
class Foreign:
    """A machine that is none of ours, running on a host."""

    name: str
    host: str
    processors: int
    memory_mb: int
    disk_gb: int
    description: str = ""


@dataclass(frozen=True)
class Cluster:
    """A host cluster."""

    name: str
    hosts: tuple[Host, ...]
    volumes: tuple[Volume, ...]
    foreign: tuple[Foreign, ...] = ()


@dataclass(frozen=True)
class Template:
    """A template in the library: the size of its boot disk in GiB, and the VM network that its adapter is on."""

    name: str
    boot_disk_gb: int
    network: str


@dataclass(frozen=True)
class Estate:
    r"""All of it. `users` are the passwords by user name, `DOMAIN\user` or `user`."""

    clusters: tuple[Cluster, ...]
    templates: tuple[Template, ...]
    networks: tuple[str, ...]
    users: Mapping[str, str] = field(default_factory=dict)


def _hosts(names: tuple[str, ...], processors: int, memory_gb: int) -> tuple[Host, ...]:
    return tuple(Host(name, processors, memory_gb * 1024) for name in names)


SAMPLE: Final = Estate(
    clusters=(
        Cluster(
            "HVCL01",
            _hosts(("hv01", "hv02", "hv03"), 32, 128),
            (Volume(r"C:\ClusterStorage\Volume1", 2048, 200), Volume(r"C:\ClusterStorage\Volume2", 2048, 100)),
            (Foreign("dc01", "hv01", 4, 8192, 120, "Domain controller"), Foreign("files01", "hv02", 8, 32_768, 500)),
        ),
        Cluster(
            "HVCL02",
            (*_hosts(("hv11", "hv12"), 64, 256), Host("hv13", 64, 262_144, maintenance=True)),
            (Volume(r"C:\ClusterStorage\Volume1", 4096, 300),),
            (Foreign("sql01", "hv11", 16, 65_536, 1000),),
        ),
    ),
    templates=(Template("ubuntu-24.04", 20, "VM Network"), Template("windows-2022", 60, "VM Network")),
    networks=("VM Network", "Backend"),
    users={r"CORP\skysaga": "local-only"},
)
