"""Private clusters: what a deployment says of them, what they report of themselves, and what is claimed of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lambdas.core.specs.private import Placement
from lambdas.core.targets import DEFAULT

ClusterName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class _Value(BaseModel):
    # What an agent of a newer version reports may have fields that we do not know.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)


class Amounts(_Value):
    """Virtual processors, memory in MiB and disk in GiB."""

    cpu: int = 0
    memory_mb: int = 0
    disk_gb: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            cpu=self.cpu + other.cpu,
            memory_mb=self.memory_mb + other.memory_mb,
            disk_gb=self.disk_gb + other.disk_gb,
        )

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(
            cpu=self.cpu - other.cpu,
            memory_mb=self.memory_mb - other.memory_mb,
            disk_gb=self.disk_gb - other.disk_gb,
        )

    def within(self, bounds: Amounts) -> bool:
        """Whether none of them exceeds its bound."""
        return self.cpu <= bounds.cpu and self.memory_mb <= bounds.memory_mb and self.disk_gb <= bounds.disk_gb


_NOTHING: Final = Amounts.model_construct()
"""`Amounts()`, which would build a validator whenever this is imported."""


def needed(placement: Placement) -> Amounts:
    """What a machine takes of its cluster."""
    return Amounts(cpu=placement.cpu, memory_mb=placement.memory_gb * 1024, disk_gb=placement.disk_gb)


class Overcommit(_Value):
    """How much may be promised for each processor, MiB and GiB that is there."""

    cpu: float = Field(default=4.0, gt=0)
    memory: float = Field(default=1.0, gt=0)
    disk: float = Field(default=1.0, gt=0)


class ClusterSettings(_Value):
    """What a deployment declares of one cluster.

    `name` is ours and unique, `cluster` what it is called on its `server`: the URL of the vCenter, or of the WSMan
    endpoint of the VMM server. `secret` names the secret with `username`, `password` and, where a private authority
    signed the server's certificate, `ca_certificate` (PEM). `reserve` is never given away. Machines go into `folder`
    (vSphere; the datacenter's own where it is empty) and onto `network` unless they say otherwise. The worker of the
    cluster takes its work from `queue_url`, at most `concurrency` machines at a time.
    """

    name: ClusterName
    provider: Literal["vsphere", "scvmm"]
    target: str = DEFAULT
    server: str
    secret: str
    cluster: str
    folder: str = ""
    network: str = ""
    queue_url: str = ""
    ledger_table: str = ""
    labels: Mapping[str, str] = {}
    concurrency: int = Field(default=4, ge=1)
    overcommit: Overcommit = Field(default_factory=Overcommit)
    reserve: Amounts = Field(default_factory=Amounts)


class HostReport(_Value):
    """One host: its processors (threads) and memory, how much of them is in use, and whether it takes machines."""

    name: str
    cpu: int
    memory_mb: int
    cpu_used: float
    memory_used_mb: int
    maintenance: bool = False
    connected: bool = True

    @property
    def usable(self) -> bool:
        """Whether machines can be placed on it."""
        return self.connected and not self.maintenance


class DatastoreReport(_Value):
    """One datastore or volume that the cluster's hosts share, in GiB."""

    name: str
    capacity_gb: int
    free_gb: int
    usable: bool = True


class ClusterReport(_Value):
    """What a cluster said of itself at one moment.

    `others` is what the machines that are not ours are configured with, whether they use it or not. `images` are the
    templates that machines can be cloned from, and `local_images` those of them that need no copy from elsewhere.
    """

    at: datetime
    hosts: tuple[HostReport, ...]
    datastores: tuple[DatastoreReport, ...]
    others: Amounts = Field(default_factory=Amounts)
    images: tuple[str, ...] = ()
    local_images: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class Claimed(NamedTuple):
    """What is claimed of a cluster in all: the sums, who holds each group, and whether it takes anything new."""

    amounts: Amounts = _NOTHING
    groups: Mapping[str, str] = {}
    drained: bool = False


class ClusterStanding(NamedTuple):
    """A cluster as placement sees it: as it is declared, as it reported last, and what is claimed of it now."""

    settings: ClusterSettings
    report: ClusterReport
    claimed: Claimed


class Claim(_Value):
    """What one resource has claimed of a cluster; `group` is the anti-affinity group it stands for there, or ""."""

    cluster: ClusterName
    amounts: Amounts
    group: str = ""


def claim_of(placement: Placement, cluster: str, group: str = "") -> Claim:
    """What a machine claims of the cluster it is placed on."""
    return Claim(cluster=cluster, amounts=needed(placement), group=group)
