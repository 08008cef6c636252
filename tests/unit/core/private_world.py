"""The steps of private clusters over fakes: placement, the worker, and what the state machine does between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from lambdas.core.clusters import Amounts
from lambdas.core.model import Resource, Saga
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.ports.ledger import IdempotencyKey
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.placing import PlacingSteps
from lambdas.core.steps.results import Next
from lambdas.core.steps.saga import ReleaseReason, SagaSteps
from lambdas.core.steps.working import TaskKind, WorkSteps
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.documents import request_document, vsphere_instance
from tests.fakes.expiry import FakeExpiry
from tests.fakes.ledger import FakeLedger
from tests.fakes.private_provider import FakePrivateProvider
from tests.fakes.reports import cluster_settings
from tests.unit.core.world import POLICY, VERBS
from tests.whole import whole

WEB = "web"
PATIENCE = 500


@dataclass
class PrivateWorld:
    clock: FakeClock
    ledger: FakeLedger
    clusters: FakeClusters
    provider: FakePrivateProvider
    sagas: SagaSteps
    placing: PlacingSteps
    names: list[str] = field(default_factory=list)

    def declare(self, *names: str, **settings: Any) -> None:
        """Clusters that have just reported."""
        for name in names:
            self.clusters.report(cluster_settings(name, **settings), self.provider.survey(name))
        self.names += names

    def report(self) -> None:
        """Every cluster reports again."""
        for name in self.names:
            self.clusters.report(self.clusters.standing(name).settings, self.provider.survey(name))

    def provisioning_saga(self, *resources: dict[str, Any], caller: str = "somebody") -> str:
        now = self.clock.now()
        request = parse_request(request_document(*(resources or (vsphere_instance(WEB),))))
        planned = plan_saga(request, new_saga_id(now), caller, now)
        self.ledger.open(planned.saga, planned.resources, IdempotencyKey(caller, planned.saga.id, ""))
        self.sagas.begin(planned.saga.id)
        return planned.saga.id

    def worker(self, *clusters: str) -> WorkSteps:
        """A worker of those clusters, or of all."""
        return WorkSteps(self.ledger, self.provider, self.clock, POLICY, set(clusters or self.names))

    def pause(self, seconds: int) -> bool:
        """Patience without end: time passes."""
        self.clock.advance(seconds)
        return True

    def build(self, saga_id: str, resource_id: str = WEB) -> None:
        """What the state machine does with one resource, workers included, until it leaves it."""
        self._drive(saga_id, resource_id, TaskKind.PROVISION, self.placing.create, self.placing.observe)

    def remove(self, saga_id: str, resource_id: str = WEB) -> None:
        """What the release machine does with one resource."""
        self._drive(saga_id, resource_id, TaskKind.RELEASE, self.placing.delete, self.placing.observe_absence)

    def release(self, saga_id: str) -> None:
        """Roll a saga back or destroy it."""
        self.sagas.fence(saga_id, ReleaseReason.DESTROY)
        for resource in whole(self.ledger, saga_id).resources:
            self.remove(saga_id, resource.id)
        self.sagas.conclude(saga_id, 0)

    def saga(self, saga_id: str) -> Saga:
        return self.ledger.saga(saga_id)

    def resource(self, saga_id: str, resource_id: str = WEB) -> Resource:
        return self.ledger.resource(saga_id, resource_id)

    def claimed(self, cluster: str) -> Amounts:
        return self.ledger.claimed(cluster).amounts

    def _drive(self, saga_id: str, resource_id: str, kind: TaskKind, act: Callable[..., Any], look: Any) -> None:
        result = act(saga_id, resource_id)
        for _ in range(PATIENCE):
            if result["next"] is Next.DONE:
                return
            if result["next"] is Next.CREATE or result["next"] is Next.DELETE:
                result = act(saga_id, resource_id)
            elif result["next"] is Next.WORK:
                cluster = result["queue"].rpartition("skysaga-cluster-")[2]
                result = self.worker(cluster).work(kind, saga_id, resource_id, self.pause)
            else:
                self.clock.advance(result["delay"])
                result = look(saga_id, resource_id)
        raise AssertionError(f"never done: {self.resource(saga_id, resource_id)}")


def seeded(seed: int) -> Random:
    """Chance that repeats itself."""
    return Random(seed)  # noqa: S311 -- runs must repeat


def make_private_world(seed: int = 1) -> PrivateWorld:
    clock = FakeClock()
    ledger = FakeLedger(clock)
    clusters = FakeClusters(ledger)
    functions = {"vsphere": {verb: f"placement-{verb}" for verb in VERBS}}
    return PrivateWorld(
        clock,
        ledger,
        clusters,
        FakePrivateProvider(clock),
        SagaSteps(ledger, clock, POLICY, functions, FakeExpiry()),
        PlacingSteps(ledger, clusters, clock, POLICY, seeded(seed)),
    )


def ready(world: PrivateWorld, saga_id: str, resource_id: str = WEB) -> bool:
    return world.resource(saga_id, resource_id).status is ResourceStatus.READY
