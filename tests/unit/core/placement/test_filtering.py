"""Why a cluster cannot take a machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.core.clusters import Amounts, Claimed, ClusterStanding
from lambdas.core.placement.board import Board
from lambdas.core.placement.filtering import OLDEST_REPORT, Filter, Reason
from lambdas.core.placement.needs import Need
from tests.unit.core.placement.strategies import SMALL, able, needs, standings


def why_not(need: Need, standing: ClusterStanding, age: float = 0) -> Reason | None:
    [cluster] = Board([standing])
    return Filter(need).refuses(cluster, age)


def declared(**changes: Any) -> ClusterStanding:
    return able()._replace(settings=able().settings.model_copy(update=changes))


def reported(**changes: Any) -> ClusterStanding:
    return able()._replace(report=able().report.model_copy(update=changes))


def hosts_of(**changes: Any) -> ClusterStanding:
    return reported(hosts=tuple(it.model_copy(update=changes) for it in able().report.hosts))


def claimed(**amounts: int) -> ClusterStanding:
    return able(claimed=Claimed(Amounts(**amounts)))


def asking(**amounts: int) -> Need:
    return replace(SMALL, amounts=SMALL.amounts.model_copy(update=amounts))


def test_a_cluster_that_nothing_stands_against_has_no_reason() -> None:
    assert why_not(SMALL, able()) is None
    grouped = replace(SMALL, near="berlin-1", group="group", labels={"tier": "gold"}, network="prod")
    assert why_not(grouped, declared(labels={"tier": "gold", "site": "b"})) is None


@pytest.mark.parametrize(
    ("need", "standing", "words"),
    [
        (SMALL, declared(provider="scvmm"), "is not of vsphere (scvmm)"),
        (SMALL, declared(target="test"), "is not of the target 'default' (test)"),
        (replace(SMALL, near="berlin-2"), able(), "near is on berlin-2"),
        (replace(SMALL, labels={"tier": "gold"}), able(), "has not the label tier=gold"),
        (replace(SMALL, labels={"tier": "gold"}), declared(labels={"tier": "tin"}), "(tier=tin)"),
        (replace(SMALL, excluded=frozenset({"berlin-1"})), able(), "had no room for this machine when it was tried"),
        (SMALL, able(claimed=Claimed(drained=True)), "is drained"),
        (replace(SMALL, group="g"), able(claimed=Claimed(groups={"g": "x"})), "of the same anti_affinity group"),
        (SMALL, hosts_of(maintenance=True), "no usable host"),
        (SMALL, hosts_of(connected=False), "no usable host"),
        (SMALL, reported(hosts=()), "no usable host"),
        (SMALL, reported(images=("windows",)), "has no image 'ubuntu'"),
        (replace(SMALL, network="test"), able(), "has no network 'test'"),
        (SMALL, reported(networks=()), "its own network is not there; name another"),
        (asking(cpu=17), able(), "no single host has 17 processors and 4 GiB of memory free"),
        (asking(memory_mb=65_537), able(), "(at most 16 and 64 GiB)"),
        (SMALL, hosts_of(memory_used_mb=63_000), "(at most 16 and 2.477 GiB)"),
        (asking(disk_gb=2001), able(), "no single datastore has 2001 GiB free"),
        (
            SMALL,
            claimed(cpu=255),
            "has less than 2 processors left to claim; ask for less, or release something (1 left)",
        ),
        (SMALL, claimed(memory_mb=4 * 65_536), "less than 4 GiB of memory left to claim"),
        (SMALL, claimed(disk_gb=1990), "less than 20 GiB of disk left to claim"),
        (SMALL, claimed(disk_gb=3000), "(0 GiB left)"),
    ],
)
def test_each_reason_says_what_is_missing(need: Need, standing: ClusterStanding, words: str) -> None:
    assert words in str(why_not(need, standing))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (
            OLDEST_REPORT + 1,
            "has not reported for more than 10 min; an operator should look at its worker (for 10 min)",
        ),
        (3600, "(for 60 min)"),
        (10**9, "(for more than a day)"),
        (-121, "dated in the future"),
    ],
)
def test_a_report_that_says_nothing_of_now_is_not_used(age: float, words: str) -> None:
    assert words in str(why_not(SMALL, able(), age))


@pytest.mark.parametrize("age", [-120, 0, OLDEST_REPORT])
def test_a_report_that_is_young_enough_is_used(age: float) -> None:
    assert why_not(SMALL, able(), age) is None


def test_what_is_missing_on_one_host_is_not_made_up_for_by_another() -> None:
    wide = able().report.hosts[0].model_copy(update={"cpu": 64, "memory_mb": 2048})
    assert why_not(asking(cpu=32), reported(hosts=(wide, *able().report.hosts))) is not None


def test_without_a_network_of_its_own_a_cluster_takes_what_names_none() -> None:
    assert why_not(SMALL, declared(network="")._replace(report=reported(networks=()).report)) is None


def test_what_the_request_chose_is_told_before_what_may_pass() -> None:
    both = declared(labels={})._replace(claimed=Claimed(drained=True))
    assert "label" in str(why_not(replace(SMALL, labels={"tier": "gold"}), both, age=10**6))


def test_a_drained_cluster_is_called_drained_though_it_reports_no_more() -> None:
    assert "drained" in str(why_not(SMALL, able(claimed=Claimed(drained=True)), age=10**6))


def test_a_long_name_is_not_repeated_whole() -> None:
    assert len(str(why_not(replace(SMALL, image="x" * 255), able()))) < 150


@given(needs, standings, st.floats(-200, 700))
def test_only_other_providers_and_targets_are_elsewhere(
    need: Need, standings: list[ClusterStanding], age: float
) -> None:
    for standing in standings:
        reason = why_not(need, standing, age)
        settings = standing.settings
        elsewhere = (settings.provider, settings.target) != (need.provider, need.target)
        assert (reason is not None and reason.elsewhere) == elsewhere
