"""How much of a cluster may be claimed."""

from __future__ import annotations

from hypothesis import given

from lambdas.core.clusters import Amounts, ClusterReport, ClusterSettings, DatastoreReport, HostReport, Overcommit
from lambdas.core.placement.bounds import bounds
from tests.fakes.reports import cluster_report, cluster_settings
from tests.unit.core.placement.strategies import declared, reports, some_amounts

settings = declared("berlin-1")


def test_it_is_capacity_times_overcommit_less_the_reserve_and_what_is_not_ours() -> None:
    declared = cluster_settings(
        overcommit=Overcommit(cpu=3, memory=1.5, disk=2), reserve=Amounts(cpu=6, memory_mb=1000, disk_gb=100)
    )
    report = cluster_report(hosts=2, others=Amounts(cpu=10, memory_mb=2000, disk_gb=300))
    assert bounds(declared, report) == Amounts(
        cpu=2 * 16 * 3 - 6 - 10, memory_mb=2 * 65_536 * 3 // 2 - 1000 - 2000, disk_gb=1000 * 2 - 100 - 300
    )


def test_what_cannot_be_used_counts_for_nothing() -> None:
    one = {"name": "esx", "cpu": 16, "memory_mb": 65_536, "cpu_used": 0, "memory_used_mb": 0}
    report = cluster_report(
        hosts=1,
        datastores=(
            DatastoreReport(name="ssd", capacity_gb=1000, free_gb=900),
            DatastoreReport(name="old", capacity_gb=5000, free_gb=5000, usable=False),
        ),
    )
    down = [HostReport.model_validate({**one, **state}) for state in ({"maintenance": True}, {"connected": False})]
    more = report.model_copy(update={"hosts": (*report.hosts, *down)})
    assert bounds(cluster_settings(), more) == Amounts(cpu=64, memory_mb=65_536, disk_gb=1000)


@given(settings, reports)
def test_bounds_are_never_negative(settings: ClusterSettings, report: ClusterReport) -> None:
    assert Amounts().within(bounds(settings, report))


@given(settings, reports, some_amounts)
def test_more_that_is_not_ours_never_raises_them(
    settings: ClusterSettings, report: ClusterReport, more: Amounts
) -> None:
    fuller = report.model_copy(update={"others": report.others + more})
    assert bounds(settings, fuller).within(bounds(settings, report))


@given(settings, reports, some_amounts)
def test_a_larger_reserve_lowers_them_by_as_much_or_to_nothing(
    settings: ClusterSettings, report: ClusterReport, more: Amounts
) -> None:
    before = bounds(settings, report)
    after = bounds(settings.model_copy(update={"reserve": settings.reserve + more}), report)
    assert after == Amounts(
        cpu=max(0, before.cpu - more.cpu),
        memory_mb=max(0, before.memory_mb - more.memory_mb),
        disk_gb=max(0, before.disk_gb - more.disk_gb),
    )
