"""Clusters in every state, and machines of every need, so small that they often meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

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
from lambdas.core.placement.bounds import bounds
from lambdas.core.placement.needs import Need
from tests.fakes.reports import cluster_settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = tuple(f"cluster-{number}" for number in range(6))

some_amounts = st.builds(
    Amounts, cpu=st.integers(0, 40), memory_mb=st.integers(0, 80_000), disk_gb=st.integers(0, 1000)
)
hosts = st.builds(
    HostReport,
    name=st.just("esx"),
    cpu=st.sampled_from([8, 16, 64]),
    memory_mb=st.sampled_from([16_384, 65_536]),
    cpu_used=st.floats(0, 64),
    memory_used_mb=st.integers(0, 70_000),
    maintenance=st.sampled_from([False, False, False, True]),
    connected=st.sampled_from([True, True, True, False]),
)
datastores = st.builds(
    DatastoreReport,
    name=st.just("ssd"),
    capacity_gb=st.just(1000),
    free_gb=st.integers(0, 1000),
    usable=st.sampled_from([True, True, True, False]),
)
reports = st.builds(
    ClusterReport,
    at=st.integers(-100, 700).map(lambda age: NOW - timedelta(seconds=age)),
    hosts=st.lists(hosts, max_size=4).map(tuple),
    datastores=st.lists(datastores, max_size=3).map(tuple),
    others=some_amounts,
    images=st.sampled_from([("ubuntu",), ("ubuntu", "windows"), ()]),
    local_images=st.sampled_from([("ubuntu",), ()]),
    networks=st.sampled_from([("prod",), ("prod", "test")]),
)
overcommits = st.builds(
    Overcommit, cpu=st.sampled_from([0.9, 1, 4]), memory=st.sampled_from([0.9, 1, 1.5]), disk=st.sampled_from([1, 2])
)


@st.composite
def declared(draw: st.DrawFn, name: str) -> ClusterSettings:
    """One cluster, as it may be declared."""
    return cluster_settings(
        name,
        provider=draw(st.sampled_from(["vsphere", "vsphere", "vsphere", "scvmm"])),
        target=draw(st.sampled_from(["default", "default", "default", "other"])),
        labels=draw(st.sampled_from([{}, {"tier": "gold"}, {"tier": "silver"}])),
        network=draw(st.sampled_from(["", "prod", "test"])),
        overcommit=draw(overcommits),
        reserve=draw(st.sampled_from([Amounts(), Amounts(cpu=4, memory_mb=8192, disk_gb=50)])),
    )


@st.composite
def standings_of(draw: st.DrawFn, name: str) -> ClusterStanding:
    """One cluster, as it may stand."""
    claimed = Claimed(
        draw(st.one_of(st.just(Amounts()), some_amounts)),
        draw(st.sampled_from([{}, {}, {"group": "somebody"}])),
        draw(st.sampled_from([False, False, False, True])),
    )
    return ClusterStanding(draw(declared(name)), draw(reports), claimed)


@st.composite
def filled(draw: st.DrawFn) -> tuple[Need, ClusterStanding]:
    """A machine and a cluster that has room for it, by what is claimed; down to the last processor, MiB and GiB."""
    standing = draw(standings_of(NAMES[0]))
    most = bounds(standing.settings, standing.report)
    claimed = draw(up_to(most))
    need = Need("vsphere", draw(up_to(most - claimed)), "ubuntu", prefer=draw(st.sampled_from(["spread", "pack"])))
    return need, standing._replace(claimed=Claimed(claimed))


def up_to(most: Amounts) -> st.SearchStrategy[Amounts]:
    """Any amounts within bounds."""
    each = {name: st.integers(0, value) for name, value in most.model_dump().items()}
    return st.builds(Amounts, **each)


def able_or_any(name: str) -> st.SearchStrategy[ClusterStanding]:
    """A cluster that may take most machines, with something claimed, or one in any state."""
    some = up_to(Amounts(cpu=256, memory_mb=4 * 65_536, disk_gb=2000))
    return st.one_of(some.map(lambda amounts: able(name, claimed=Claimed(amounts))), standings_of(name))


standings = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.tuples(*(able_or_any(name) for name in names)).map(list)
)
needs = st.builds(
    Need,
    provider=st.sampled_from(["vsphere", "vsphere", "vsphere", "scvmm"]),
    amounts=st.builds(
        Amounts, cpu=st.integers(1, 20), memory_mb=st.integers(1024, 40_000), disk_gb=st.integers(1, 600)
    ),
    image=st.sampled_from(["ubuntu", "ubuntu", "windows"]),
    target=st.sampled_from(["default", "default", "default", "other"]),
    network=st.sampled_from([None, None, "prod"]),
    labels=st.sampled_from([{}, {}, {"tier": "gold"}]),
    group=st.sampled_from(["", "", "group"]),
    near=st.sampled_from([None, None, None, NAMES[0]]),
    prefer=st.sampled_from(["spread", "pack"]),
    excluded=st.sets(st.sampled_from(NAMES), max_size=2).map(frozenset),
)


def able(name: str = "berlin-1", *, hosts: int = 4, claimed: Claimed | None = None) -> ClusterStanding:
    """A cluster that takes `SMALL`: processors for 128 of them, memory for 64 and disk for 100."""
    host = HostReport(name="esx", cpu=16, memory_mb=65_536, cpu_used=0, memory_used_mb=0)
    report = ClusterReport(
        at=NOW,
        hosts=(host,) * hosts,
        datastores=(DatastoreReport(name="ssd", capacity_gb=2000, free_gb=2000),),
        images=("ubuntu",),
        local_images=("ubuntu",),
        networks=("prod",),
    )
    return ClusterStanding(cluster_settings(name, network="prod"), report, claimed or Claimed())


SMALL = Need(provider="vsphere", amounts=Amounts(cpu=2, memory_mb=4096, disk_gb=20), image="ubuntu")
