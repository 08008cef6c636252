"""What is measured once a minute, as alarms see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from lambdas.core.errors import RetryableError
from lambdas.core.model import Approval, ApprovalPoint, Saga
from lambdas.core.ports.ledger import IdempotencyKey, Standing
from lambdas.core.ports.queue import Depth
from lambdas.core.states import SagaStatus
from lambdas.core.steps.measuring import BillingMeasures, ClusterMeasures, Measured, SagaMeasures
from lambdas.gauges.handler import Measure, gauges_handler
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.context import Context
from tests.fakes.costs import FakeSources, cost_explorer
from tests.fakes.ledger import FakeLedger
from tests.fakes.reports import cluster_settings, survey
from tests.fakes.windows import FakeWindows

Value = tuple[str, dict[str, str], float, str]


@dataclass
class Queues:
    """Queues by URL; one that is not there does not answer."""

    depths: dict[str, Depth] = field(default_factory=dict)

    def depth(self, url: str) -> Depth:
        if url not in self.depths:
            raise RetryableError("ServiceUnavailable", "the queue did not answer")
        return self.depths[url]


@dataclass
class Scene:
    clock: FakeClock = field(default_factory=FakeClock)
    queues: Queues = field(default_factory=Queues)

    def __post_init__(self) -> None:
        self.ledger = FakeLedger(self.clock)
        self.clusters = FakeClusters(self.ledger)

    def open(self, saga_id: str, *path: SagaStatus, approval: Approval | None = None) -> None:
        now = self.clock.now()
        saga = Saga(id=saga_id, name="shop", caller="me", waves=(), created_at=now, approval=approval)
        self.ledger.open(saga, [], IdempotencyKey("me", saga_id, "digest"))
        self.move(saga_id, *path)

    def move(self, saga_id: str, *path: SagaStatus, **update: Any) -> None:
        for status in path:

            def change(standing: Standing, status: SagaStatus = status) -> Saga:
                return standing.saga.model_copy(update={"status": status, **update})

            self.ledger.change_saga(saga_id, change)

    def report(self, cluster: str, silent: timedelta) -> None:
        settings = cluster_settings(cluster).model_copy(update={"queue_url": f"https://sqs/{cluster}"})
        self.clusters.report(settings, survey(self.clock.now() - silent))

    def oldest(self) -> float:
        (measured,) = SagaMeasures(self.ledger, self.clock)()
        return measured.value

    def of_clusters(self) -> ClusterMeasures:
        return ClusterMeasures(self.clusters, self.queues, self.clock)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def printed(output: str) -> Iterator[Value]:
    """What CloudWatch makes of a log: metrics that have the service, and no step, among their dimensions."""
    for document in map(json.loads, output.splitlines()):
        for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
            (dimensions,) = directive["Dimensions"]
            if directive["Namespace"] == "skysaga" and "step" not in dimensions:
                for it in directive["Metrics"]:
                    by = {name: document[name] for name in dimensions if name != "service"}
                    yield it["Name"], by, document[it["Name"]][0], it["Unit"]


def run(capsys: pytest.CaptureFixture[str], *measures: Measure) -> list[Value]:
    gauges_handler(lambda: measures)({}, Context())
    return list(printed(capsys.readouterr().out))


def test_the_oldest_unfinished_saga_is_the_one_that_has_been_under_way_longest(scene: Scene) -> None:
    scene.open("s1", SagaStatus.PROVISIONING, SagaStatus.COMMITTED)
    scene.clock.advance(60)
    scene.open("s2", SagaStatus.PROVISIONING)
    scene.clock.advance(30)
    scene.open("s3")
    scene.clock.advance(5)

    assert scene.oldest() == 35


def test_one_that_is_released_is_as_old_as_its_release(scene: Scene) -> None:
    scene.open("s1", SagaStatus.PROVISIONING, SagaStatus.COMMITTED)
    scene.clock.advance(86_400)
    scene.move("s1", SagaStatus.RELEASING)
    scene.clock.advance(7)
    scene.move("s1", SagaStatus.RELEASING, labels={"team": "b"})  # a write that is no new status
    scene.clock.advance(3)

    assert scene.oldest() == 10


def test_waiting_for_a_person_is_not_being_late(scene: Scene) -> None:
    approval = Approval(before=ApprovalPoint.COMMIT, within=timedelta(days=7))
    scene.open("s1", SagaStatus.PROVISIONING, SagaStatus.AWAITING_APPROVAL, approval=approval)
    scene.clock.advance(86_400)
    assert scene.oldest() == 0
    approved = approval.model_copy(update={"approved_at": scene.clock.now()})
    scene.move("s1", SagaStatus.PROVISIONING, approval=approved)
    scene.clock.advance(2)
    assert scene.oldest() == 2


def test_with_nothing_under_way_it_is_measured_to_be_nothing(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    measured = run(capsys, SagaMeasures(scene.ledger, scene.clock))

    assert measured == [("OldestUnfinishedSaga", {}, 0, "Seconds")]


def test_of_a_cluster_its_reports_age_its_slots_and_its_queue_are_measured(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.report("berlin-1", timedelta(seconds=42))
    scene.queues.depths["https://sqs/berlin-1"] = Depth(waiting=3, taken=2)
    by = {"cluster": "berlin-1"}

    assert run(capsys, scene.of_clusters()) == [
        ("ClusterReportAge", by, 42, "Seconds"),
        ("WorkerSlots", by, cluster_settings("berlin-1").concurrency, "Count"),
        ("QueueDepth", by, 3, "Count"),
        ("WorkerSlotsInUse", by, 2, "Count"),
    ]


def test_a_cluster_that_is_silent_has_no_slots(scene: Scene) -> None:
    scene.report("ulm-1", timedelta(minutes=5, seconds=1))
    scene.queues.depths["https://sqs/ulm-1"] = Depth(waiting=1, taken=0)

    assert Measured("WorkerSlots", 0, False, {"cluster": "ulm-1"}) in list(scene.of_clusters()())


def test_a_cluster_that_may_be_gone_is_not_measured_for_ever(scene: Scene) -> None:
    scene.report("gone", timedelta(days=1, seconds=1))

    assert list(scene.of_clusters()()) == []


def test_of_costs_the_time_since_each_source_was_read_is_measured(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    source = cost_explorer()
    sources = FakeSources({source.name: source})
    ((name, by, seconds, unit),) = run(capsys, BillingMeasures(sources, FakeWindows(), scene.clock))

    assert (name, by, unit) == ("BillingFreshness", {"source": source.name}, "Seconds")
    assert seconds == (scene.clock.now() - source.since).total_seconds()


def test_what_cannot_be_measured_keeps_nothing_else_from_it_and_shows(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.report("berlin-1", timedelta(seconds=42))
    with pytest.raises(RetryableError):
        run(capsys, scene.of_clusters(), SagaMeasures(scene.ledger, scene.clock))

    measured = [name for name, *_ in printed(capsys.readouterr().out)]
    assert measured == ["ClusterReportAge", "WorkerSlots", "OldestUnfinishedSaga"]


def test_the_queue_of_a_cluster_that_was_taken_off_makes_no_other_seem_silent(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    for cluster in ("aachen-1", "berlin-1"):
        scene.report(cluster, timedelta(seconds=42))
    scene.queues.depths["https://sqs/berlin-1"] = Depth(waiting=3, taken=2)
    with pytest.raises(RetryableError):
        run(capsys, scene.of_clusters())

    measured = [(name, by["cluster"]) for name, by, *_ in printed(capsys.readouterr().out)]
    assert ("ClusterReportAge", "berlin-1") in measured
    assert ("WorkerSlotsInUse", "berlin-1") in measured


def test_where_metrics_are_disabled_nothing_is_measured(
    scene: Scene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")

    assert run(capsys, SagaMeasures(scene.ledger, scene.clock)) == []
