"""What a placer knows of the clusters."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given

from lambdas.core.clusters import Amounts, Claim, Claimed, ClusterReport, ClusterStanding, HostReport
from lambdas.core.placement.board import Board, facts
from tests.fakes.reports import cluster_settings
from tests.unit.core.placement.strategies import NOW, able, reports

ONE = Amounts(cpu=2, memory_mb=4096, disk_gb=20)


def test_facts_are_worked_out_once_for_each_report() -> None:
    board = Board([able()])
    known = board["berlin-1"].facts
    again = able(claimed=Claimed(ONE))
    board.learn([again])
    assert board["berlin-1"].facts is known
    assert board["berlin-1"].claimed.amounts == ONE

    later = again.report.model_copy(update={"at": NOW + timedelta(seconds=60)})
    board.learn([again._replace(report=later)])
    assert board["berlin-1"].facts.reported == later.at.timestamp()


def test_changed_settings_count_though_the_report_is_the_same() -> None:
    board = Board([able()])
    board.learn([able()._replace(settings=cluster_settings("berlin-1", reserve=Amounts(cpu=10)))])
    assert board["berlin-1"].cpu_left == 4 * 16 * 4 - 10


def test_a_cluster_that_is_not_read_again_is_gone() -> None:
    board = Board([able("berlin-1"), able("berlin-2")])
    board.learn([able("berlin-2")])
    assert [it.name for it in board] == ["berlin-2"]


def test_a_claim_that_was_made_is_known_before_all_is_read_again() -> None:
    board = Board([able()])
    board.add(Claim(cluster="berlin-1", amounts=ONE, group="group"), "saga/web")
    cluster = board["berlin-1"]
    assert cluster.claimed == Claimed(ONE, {"group": "saga/web"})
    assert (cluster.cpu_left, cluster.memory_left, cluster.disk_left) == (256 - 2, 4 * 65_536 - 4096, 2000 - 20)


def test_what_a_refused_claim_shows_replaces_what_was_known() -> None:
    board = Board([able()])
    board.replace("berlin-1", Claimed(ONE, {}, drained=True))
    assert (board["berlin-1"].claimed.amounts, board["berlin-1"].drained) == (ONE, True)


def test_what_is_learnt_of_an_unknown_cluster_is_nothing() -> None:
    board = Board([able()])
    board.add(Claim(cluster="elsewhere", amounts=ONE), "saga/web")
    board.replace("elsewhere", Claimed(ONE))
    assert [it.name for it in board] == ["berlin-1"]


@given(reports)
def test_a_machine_fits_a_host_of_the_facts_exactly_if_it_fits_one_of_the_report(report: ClusterReport) -> None:
    settings = cluster_settings()
    known = facts(settings, report)

    def free(host: HostReport) -> int:
        return host.memory_mb - host.memory_used_mb

    for wanted in report.hosts:
        cpu, memory = wanted.cpu, free(wanted)
        fits = any(it.cpu >= cpu and free(it) >= memory for it in report.hosts if it.usable)
        assert any(room.cpu >= cpu and room.memory_mb >= memory for room in known.hosts) == fits
    assert 0 <= known.idle <= 1


def test_idleness_is_that_of_what_is_scarcest_in_use() -> None:
    host = HostReport(name="esx", cpu=10, memory_mb=1000, cpu_used=2.5, memory_used_mb=600)
    standing: ClusterStanding = able()
    report = standing.report.model_copy(update={"hosts": (host,)})
    assert facts(standing.settings, report).idle == 0.4
