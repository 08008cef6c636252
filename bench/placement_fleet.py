"""A made-up fleet of private clusters, and machines to place on it: mixed, and the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from lambdas.core.clusters import (
    Amounts,
    Claimed,
    ClusterReport,
    ClusterSettings,
    ClusterStanding,
    DatastoreReport,
    HostReport,
    Overcommit,
)
from lambdas.core.placement.needs import Need, group_key

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
NETWORK: Final = "VM Network"


class _Image(NamedTuple):
    """The share of machines that ask for it, of clusters that have it, and of those that have it locally."""

    name: str
    asked: float
    there: float
    local: float


class _Size(NamedTuple):
    asked: float
    amounts: Amounts


_IMAGES: Final = (
    _Image("ubuntu-24.04", 0.7, 1.0, 0.7),
    _Image("windows-2025", 0.2, 0.7, 0.4),
    _Image("sles-sap-15", 0.1, 0.4, 0.2),
)
_SIZES: Final = (
    _Size(0.30, Amounts(cpu=2, memory_mb=4096, disk_gb=30)),
    _Size(0.25, Amounts(cpu=4, memory_mb=16_384, disk_gb=80)),
    _Size(0.20, Amounts(cpu=8, memory_mb=32_768, disk_gb=200)),
    _Size(0.13, Amounts(cpu=16, memory_mb=65_536, disk_gb=300)),
    _Size(0.06, Amounts(cpu=8, memory_mb=131_072, disk_gb=200)),
    _Size(0.06, Amounts(cpu=4, memory_mb=16_384, disk_gb=1500)),
)
_GOLD: Final = {"tier": "gold"}


def fleet(random: Random, count: int, hosts: tuple[int, int] = (3, 8)) -> list[ClusterStanding]:
    """Clusters of some hosts each, of different make, up to 40 % of them full of machines that are not ours."""
    declared = [_settings(random, number) for number in range(count)]
    return [ClusterStanding(it, _report(random, it, random.randint(*hosts)), Claimed()) for it in declared]


def needs(random: Random, count: int, pack: float = 0) -> list[Need]:
    """Machines of six sizes and three images.

    One in seven asks for a label, one in ten is of a group of five; `pack` is the share of those to be packed.
    """
    return [_need(random, number, pack) for number in range(count)]


def _need(random: Random, number: int, pack: float) -> Need:
    grouped = number % 10 == 0
    return Need(
        provider="vsphere",
        amounts=random.choices(_SIZES, [it.asked for it in _SIZES])[0].amounts,
        image=random.choices(_IMAGES, [it.asked for it in _IMAGES])[0].name,
        labels=_GOLD if random.random() < 1 / 7 else {},
        group=group_key("somebody", f"group-{number // 50}") if grouped else "",
        prefer="pack" if random.random() < pack else "spread",
    )


def _settings(random: Random, number: int) -> ClusterSettings:
    return ClusterSettings(
        name=f"cluster-{number:03}",
        provider="vsphere",
        server="https://vcenter.example/sdk",
        secret="vcenter",  # noqa: S106 -- the name of one
        cluster=f"CL{number:03}",
        network=NETWORK,
        labels=_GOLD if random.random() < 0.3 else {"tier": "silver"},
        overcommit=Overcommit(cpu=random.choice((1, 2, 4))),
        reserve=Amounts(cpu=16, memory_mb=65_536, disk_gb=500),
    )


def _report(random: Random, settings: ClusterSettings, hosts: int) -> ClusterReport:
    cpu = random.choice((48, 64, 96, 128))
    memory_mb = cpu * random.choice((4, 6, 8)) * 1024
    capacity, stores = random.choice((4_000, 8_000, 12_000)), random.randint(1, 3)
    used, taken = random.uniform(0.2, 0.6), random.uniform(0, 0.4)
    host = HostReport(
        name="esx", cpu=cpu, memory_mb=memory_mb, cpu_used=cpu * used, memory_used_mb=int(memory_mb * taken)
    )
    datastore = DatastoreReport(name="ds", capacity_gb=capacity, free_gb=int(capacity * (1 - taken)))
    images = [(image, random.random()) for image in _IMAGES]
    promised = settings.overcommit.cpu
    return ClusterReport(
        at=START - timedelta(seconds=random.uniform(0, 60)),
        hosts=tuple(host.model_copy(update={"name": f"esx-{number}"}) for number in range(hosts)),
        datastores=tuple(datastore.model_copy(update={"name": f"ds-{number}"}) for number in range(stores)),
        others=Amounts(
            cpu=int(hosts * cpu * promised * taken),
            memory_mb=int(hosts * memory_mb * taken),
            disk_gb=int(stores * capacity * taken),
        ),
        images=tuple(image.name for image, drawn in images if drawn < image.there),
        local_images=tuple(image.name for image, drawn in images if drawn < image.local),
        networks=(NETWORK,),
    )
