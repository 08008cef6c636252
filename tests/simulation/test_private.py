"""Sagas on private clusters in all sorts of trouble, and that the judge would notice what must not be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from lambdas.core.model import Resource
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps import moving, releasing
from lambdas.core.steps.moving import MovingSteps
from lambdas.core.steps.results import Next, StepResult
from tests.simulation.private import QUIET, TroubledClusters, simulate

Pitfall = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("seed", range(1, 61))
def test_whatever_befalls_workers_queues_and_clusters_a_saga_is_whole_or_nothing(seed: int) -> None:
    verdict = simulate(seed)
    assert verdict.violations == []
    assert verdict.status in (SagaStatus.COMMITTED, SagaStatus.ROLLED_BACK)


def test_without_any_trouble_every_saga_commits_that_can_be_placed() -> None:
    assert {simulate(seed, QUIET).status for seed in range(1, 11)} == {SagaStatus.COMMITTED}


def test_the_same_seed_is_the_same_run() -> None:
    assert simulate(7) == simulate(7)


def _sent_again_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TroubledClusters, "repeat_seconds", property(lambda _: 0.0, lambda *_: None), raising=False)


def _absence_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TroubledClusters, "settling_seconds", property(lambda _: 0.0, lambda *_: None), raising=False)


def _claims_kept_for_ever(patch: pytest.MonkeyPatch) -> None:
    def absent(resource: Resource, now: datetime) -> Resource:
        return resource.model_copy(update={"status": ResourceStatus.ABSENT})

    patch.setattr(releasing, "_absent", absent)


def _moved_on_without_looking_back(patch: pytest.MonkeyPatch) -> None:
    def go_on(steps: MovingSteps, saga_id: str, resource_id: str) -> StepResult:
        steps._ledger.change_resource(saga_id, resource_id, lambda _, it: moving._to_be_placed(it))
        return {"next": Next.CREATE, "delay": 0}

    patch.setattr(MovingSteps, "go_on", go_on)


@pytest.mark.parametrize(
    ("pitfall", "found"),
    [
        (_sent_again_at_once, "there twice"),
        (_absence_believed_at_once, "something is there that is not claimed"),
        (_claims_kept_for_ever, "still claimed"),
        (_moved_on_without_looking_back, "there twice"),
    ],
)
def test_a_pitfall_is_found(pitfall: Pitfall, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pitfall(monkeypatch)
    violations = [it for seed in range(1, 61) for it in simulate(seed).violations]
    assert any(found in it for it in violations)
