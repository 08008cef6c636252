"""A second deployment while a saga is under way, and a third that an alarm stops."""

from __future__ import annotations

from infra.constructs.rollout import PERCENTAGE
from tests.deploys.conftest import SECOND, Second, Stopped


def test_a_new_version_gets_its_share_first_and_everything_in_the_end(second: Second) -> None:
    assert second.on_the_way == {2: PERCENTAGE, 1: 100 - PERCENTAGE}
    assert all(routing == {2: 100} for routing in second.routing.values())


def test_a_saga_under_way_finishes_on_the_versions_it_began_with(second: Second) -> None:
    version, called = second.before

    assert second.statuses[0] == "COMMITTED"
    assert version == 1
    assert {number for _, number in called} == {1}
    assert {name for name, _ in called} >= {"skysaga-saga", "skysaga-gcp-create", "skysaga-gcp-observe"}
    assert SECOND not in second.log_before


def test_a_saga_that_starts_afterwards_runs_on_the_new_versions(second: Second) -> None:
    version, called = second.after

    assert second.statuses[1] == "COMMITTED"
    assert version == 2
    assert {number for _, number in called} == {2}
    assert SECOND in second.log_after


def test_dependencies_that_did_not_change_are_not_published_again(second: Second) -> None:
    assert second.layers_before == second.layers_after


def test_an_alarm_stops_the_deployment_and_the_command_line_says_why(stopped: Stopped) -> None:
    assert stopped.on_the_way == {3: PERCENTAGE, 2: 100 - PERCENTAGE}
    assert stopped.stack[0] == "UPDATE_ROLLBACK_COMPLETE"
    assert "skysaga-rollout-steps-broken" in stopped.stack[1]
    assert "skysaga-rollout-steps-broken" in stopped.said


def test_everything_is_back_on_the_version_before(stopped: Stopped) -> None:
    version, called = stopped.ran_on

    assert all(routing == {2: 100} for routing in stopped.routing.values())
    assert stopped.status == "COMMITTED"
    assert version == 2
    assert {number for _, number in called} == {2}
