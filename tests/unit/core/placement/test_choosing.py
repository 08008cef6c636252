"""Which clusters are tried, and what is said when there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from statistics import mean
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.core.clusters import Amounts, Claim, Claimed, ClusterReport, ClusterStanding
from lambdas.core.placement.board import Board
from lambdas.core.placement.bounds import bounds
from lambdas.core.placement.choosing import LONGEST_REFUSAL, choose, refusal
from lambdas.core.placement.filtering import TAKEN, Filter, Reason
from lambdas.core.placement.needs import Need
from lambdas.core.placement.weighing import score
from tests.unit.core.placement.strategies import NAMES, NOW, SMALL, able, needs, standings

seeds = st.integers(0, 1000)
FITTING: Final = 64
"""How many machines of `SMALL` an able cluster takes."""


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 -- repeatable


@given(needs, standings, seeds)
def test_what_is_chosen_passes_every_filter_and_fits(need: Need, standings: list[ClusterStanding], seed: int) -> None:
    board = Board(standings)
    ranked = choose(need, board, NOW, seeded(seed)).ranked
    for declared, report, claimed in (it for it in standings if it.settings.name in ranked):
        age = (NOW - report.at).total_seconds()
        assert Filter(need).refuses(board[declared.name], age) is None
        assert (claimed.amounts + need.amounts).within(bounds(declared, report))
        assert need.group not in claimed.groups
        assert not claimed.drained
        assert (declared.provider, declared.target) == (need.provider, need.target)
        assert need.image in report.images
        assert need.labels.items() <= declared.labels.items()
        assert need.near in (None, declared.name)


@given(needs, standings, seeds)
def test_every_cluster_is_either_tried_once_or_has_a_reason(
    need: Need, standings: list[ClusterStanding], seed: int
) -> None:
    choice = choose(need, Board(standings), NOW, seeded(seed))
    assert sorted([*choice.ranked, *choice.refusals]) == sorted(it.settings.name for it in standings)
    assert all(str(reason) for reason in choice.refusals.values())


@given(needs, standings, seeds)
def test_what_refused_a_machine_before_is_not_tried_again(
    need: Need, standings: list[ClusterStanding], seed: int
) -> None:
    assert need.excluded.isdisjoint(choose(need, Board(standings), NOW, seeded(seed)).ranked)


@given(needs, standings, seeds, st.randoms(use_true_random=False))
def test_the_order_in_which_clusters_are_read_does_not_matter(
    need: Need, standings: list[ClusterStanding], seed: int, shuffling: Random
) -> None:
    shuffled = list(standings)
    shuffling.shuffle(shuffled)
    one = choose(need, Board(standings), NOW, seeded(seed))
    other = choose(need, Board(shuffled), NOW, seeded(seed))
    assert one == other
    assert refusal(need, one.refusals) == refusal(need, other.refusals)


@given(needs, standings, seeds)
def test_equal_seeds_give_equal_choices(need: Need, standings: list[ClusterStanding], seed: int) -> None:
    board = Board(standings)
    assert choose(need, board, NOW, seeded(seed)) == choose(need, board, NOW, seeded(seed))


@given(needs, standings, seeds)
def test_after_the_first_all_others_are_tried_best_first(
    need: Need, standings: list[ClusterStanding], seed: int
) -> None:
    board = Board(standings)
    ranked = choose(need, board, NOW, seeded(seed)).ranked
    ages = {name: NOW.timestamp() - board[name].facts.reported for name in ranked}
    scores = [score(need, board[name], ages[name]) for name in ranked]
    assert scores[1:] == sorted(scores[1:], reverse=True)


def test_a_cluster_that_is_far_worse_is_the_last_resort() -> None:
    full = Claimed(Amounts(cpu=1, memory_mb=4 * 65_536 * 9 // 10, disk_gb=1))
    clusters = [*(able(f"empty-{number}") for number in range(8)), able("full", claimed=full)]
    orders = [choose(SMALL, Board(clusters), NOW, seeded(seed)).ranked for seed in range(100)]
    assert {order[-1] for order in orders} == {"full"}


def test_placers_who_all_see_the_same_do_not_all_choose_the_same() -> None:
    board = Board(able(f"berlin-{number}") for number in range(50))
    chosen = Counter(choose(SMALL, board, NOW, seeded(seed)).ranked[0] for seed in range(500))
    assert len(chosen) > 40
    assert max(chosen.values()) < 40


def test_larger_clusters_are_chosen_more_often_and_smaller_ones_still_are() -> None:
    clusters = [able(f"{size}-{number}", hosts=size) for size in (20, 40) for number in range(10)]
    board = Board(it._replace(report=with_disks(it, 40)) for it in clusters)
    chosen = Counter(choose(SMALL, board, NOW, seeded(seed)).ranked[0].split("-")[0] for seed in range(900))
    assert chosen["40"] > 2 * chosen["20"]
    assert chosen["20"] > 50


def with_disks(standing: ClusterStanding, count: int) -> ClusterReport:
    return standing.report.model_copy(update={"datastores": standing.report.datastores * count})


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 16), st.floats(0.3, 0.9), seeds)
def test_equal_machines_on_equal_clusters_keep_the_peak_near_the_mean(clusters: int, full: float, seed: int) -> None:
    count = int(clusters * FITTING * full)
    placed = place(SMALL, clusters, count, seed)
    assert max(placed) <= 1.25 * mean(placed) + 2


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 16), seeds)
def test_packed_machines_leave_the_other_clusters_empty(clusters: int, seed: int) -> None:
    placed = place(replace(SMALL, prefer="pack"), clusters, 2 * FITTING, seed)
    assert sum(it > 0 for it in placed) <= 4


def place(need: Need, clusters: int, count: int, seed: int) -> list[int]:
    """How many machines each cluster got, one after the other."""
    board, random = Board(able(f"berlin-{number}") for number in range(clusters)), seeded(seed)
    for number in range(count):
        cluster = choose(need, board, NOW, random).ranked[0]
        board.add(Claim(cluster=cluster, amounts=need.amounts), f"machine/{number}")
    return [it.claimed.amounts.cpu // need.amounts.cpu for it in board]


@given(needs, standings)
def test_a_refusal_names_every_reason_but_none_of_clusters_elsewhere(
    need: Need, standings: list[ClusterStanding]
) -> None:
    refusals = choose(need, Board(standings), NOW, seeded(0)).refusals
    said = refusal(need, refusals)
    for name, reason in refusals.items():
        if reason.elsewhere:
            assert name not in said or name == need.near
        else:
            assert reason.text in said


def test_where_there_is_no_cluster_of_the_target_at_all_it_says_so() -> None:
    said = refusal(SMALL, {"hv-1": Reason("is not of vsphere", elsewhere=True)})
    assert "hv-1" not in said
    assert said.startswith("no vsphere cluster of the target 'default' has ever reported")


def test_a_refusal_groups_clusters_by_reason_and_tells_first_what_most_of_them_lack() -> None:
    refusals = {
        "c": Reason("is drained"),
        **{f"b{number}": Reason("has too little memory", f"{number} GiB left") for number in range(5)},
        "a": TAKEN,
    }
    assert refusal(SMALL, refusals) == (
        "no vsphere cluster of the target 'default' can take this machine."
        " b0 (0 GiB left), b1 (1 GiB left), b2 (2 GiB left) and 2 more: has too little memory."
        " c: is drained."
        f" a: {TAKEN.text}."
    )


@pytest.mark.parametrize("longest", [LONGEST_REFUSAL, 300])
@given(
    reasons=st.dictionaries(st.sampled_from([f"{it}-{'x' * 34}" for it in NAMES]), st.text(min_size=1, max_size=300))
)
def test_a_refusal_is_never_too_long_and_counts_what_it_leaves_out(longest: int, reasons: dict[str, str]) -> None:
    said = refusal(SMALL, {name: Reason(text) for name, text in reasons.items()}, longest)
    assert len(said) <= longest
    if reasons and not all(text in said for text in reasons.values()):
        assert said.endswith("more for other reasons.")


def test_the_refusal_of_200_clusters_is_short() -> None:
    lacking = ("memory", "disk", "an image", "a network")
    refusals = {f"cluster-{it:03}": Reason(f"lacks {lacking[it % 4]}", f"{it} left") for it in range(200)}
    said = refusal(SMALL, refusals)
    assert len(said) < 500
    assert all(it in said for it in lacking)
    assert "and 47 more" in said
