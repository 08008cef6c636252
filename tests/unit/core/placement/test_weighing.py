"""How well a cluster suits a machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.clusters import Amounts, Claimed, ClusterStanding
from lambdas.core.placement.board import Board, Cluster
from lambdas.core.placement.filtering import OLDEST_REPORT
from lambdas.core.placement.needs import Need
from lambdas.core.placement.weighing import FRESH, IDLE, LOCAL, ROOM, capacity, freshness, room, score
from tests.unit.core.placement.strategies import SMALL, able, filled, some_amounts

ages = st.floats(0, OLDEST_REPORT)


def on_board(standing: ClusterStanding) -> Cluster:
    [cluster] = Board([standing])
    return cluster


@given(filled(), ages)
def test_scores_are_between_0_and_1(machine: tuple[Need, ClusterStanding], age: float) -> None:
    need, cluster = machine[0], on_board(machine[1])
    assert 0 <= score(need, cluster, age) <= 1
    assert capacity(need, cluster) >= 1


def test_a_cluster_that_is_full_then_has_no_room_to_spread_and_is_the_best_to_pack() -> None:
    cluster = on_board(able(claimed=Claimed(Amounts(cpu=254, memory_mb=4 * 65_536 - 4096, disk_gb=1980))))
    assert room(SMALL, cluster) == 0
    assert room(replace(SMALL, prefer="pack"), cluster) == 1


def test_the_weights_add_up_to_1() -> None:
    assert sum((ROOM, IDLE, LOCAL)) == pytest.approx(1)


@given(filled(), some_amounts, st.sampled_from(["claimed", "others", "reserve"]))
def test_more_room_never_lowers_the_score_to_spread_nor_raises_that_to_pack(
    machine: tuple[Need, ClusterStanding], less: Amounts, of: str
) -> None:
    need, fuller = machine
    before, after = on_board(fuller), on_board(with_less_taken(fuller, less, of))
    spread, pack = replace(need, prefer="spread"), replace(need, prefer="pack")
    assert score(spread, after, 0) >= score(spread, before, 0)
    assert score(pack, after, 0) <= score(pack, before, 0)


def with_less_taken(standing: ClusterStanding, less: Amounts, of: str) -> ClusterStanding:
    settings, report, claimed = standing
    if of == "claimed":
        return standing._replace(claimed=claimed._replace(amounts=reduced(claimed.amounts, less)))
    if of == "others":
        return standing._replace(report=report.model_copy(update={"others": reduced(report.others, less)}))
    return standing._replace(settings=settings.model_copy(update={"reserve": reduced(settings.reserve, less)}))


def reduced(amounts: Amounts, less: Amounts) -> Amounts:
    return Amounts(
        cpu=max(0, amounts.cpu - less.cpu),
        memory_mb=max(0, amounts.memory_mb - less.memory_mb),
        disk_gb=max(0, amounts.disk_gb - less.disk_gb),
    )


@given(filled())
def test_to_pack_is_the_opposite_of_to_spread(machine: tuple[Need, ClusterStanding]) -> None:
    need, cluster = machine[0], on_board(machine[1])
    spread, pack = replace(need, prefer="spread"), replace(need, prefer="pack")
    assert room(spread, cluster) == pytest.approx(1 - room(pack, cluster))


def test_room_is_what_two_such_machines_would_leave_of_whatever_is_scarcest() -> None:
    cluster = on_board(able(claimed=Claimed(Amounts(cpu=60, memory_mb=4 * 65_536 - 2 * 4096 - 65_536, disk_gb=100))))
    assert room(SMALL, cluster) == 0.25


@given(filled(), ages, ages)
def test_ageing_never_raises_the_score(machine: tuple[Need, ClusterStanding], one: float, other: float) -> None:
    need, cluster = machine[0], on_board(machine[1])
    younger, older = sorted([one, other])
    assert score(need, cluster, older) <= score(need, cluster, younger)


@pytest.mark.parametrize(("age", "counts"), [(-60, 1), (0, 1), (FRESH, 1), (360, 0.5), (600, 0)])
def test_a_report_counts_in_full_while_it_is_fresh_and_then_ever_less(age: float, counts: float) -> None:
    assert freshness(age) == counts
    assert score(SMALL, on_board(able()), age) == pytest.approx(counts * score(SMALL, on_board(able()), 0))


def test_where_reports_must_be_fresh_all_that_are_used_count_in_full() -> None:
    assert freshness(60, oldest_report=60) == 1


def test_an_idle_cluster_is_better_than_a_busy_one_with_as_much_room() -> None:
    idle = able()
    hosts = tuple(it.model_copy(update={"cpu_used": 12}) for it in idle.report.hosts)
    busy = idle._replace(report=idle.report.model_copy(update={"hosts": hosts}))
    assert score(SMALL, on_board(idle), 0) > score(SMALL, on_board(busy), 0)


def test_a_cluster_that_has_the_image_is_better_than_one_that_must_copy_it() -> None:
    there = able()
    elsewhere = there._replace(report=there.report.model_copy(update={"local_images": ()}))
    assert score(SMALL, on_board(there), 0) > score(SMALL, on_board(elsewhere), 0)
