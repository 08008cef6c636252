"""What the worker of a cluster does with one task: step after step, until it is done or somebody else should go on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum

from lambdas.core.errors import CapacityError, TerminalError
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Provider
from lambdas.core.steps.moving import MovingSteps
from lambdas.core.steps.provisioning import ProvisioningSteps
from lambdas.core.steps.releasing import ReleaseSteps
from lambdas.core.steps.results import Next, StepResult

Pause = Callable[[int], bool]
"""Lets so many seconds pass; False, at once, when the worker should hand its task back instead."""

_Step = Callable[[str, str], StepResult]

_TO_BE_PLACED: StepResult = {"next": Next.CREATE, "delay": 0}


class TaskKind(StrEnum):
    """What a worker can be asked to do about a resource; the names are part of the state machines."""

    PROVISION = "PROVISION"
    RELEASE = "RELEASE"


class WorkSteps:
    """The steps about one resource on the clusters that a worker reaches, one after the other.

    Whatever a task says, the ledger decides what there is to do. So a task that is delivered twice, or late, or whose
    worker died does no harm: whoever goes on with it goes on from what the ledger knows.
    """

    def __init__(
        self, ledger: Ledger, provider: Provider, clock: Clock, policy: Policy, clusters: Collection[str]
    ) -> None:
        self._ledger = ledger
        self._clusters = clusters
        self._provisioning = ProvisioningSteps(ledger, provider, clock, policy)
        self._moving = MovingSteps(ledger, provider, clock, policy)
        self._releasing = ReleaseSteps(ledger, provider, clock, policy)

    def work(self, kind: TaskKind, saga_id: str, resource_id: str, pause: Pause) -> StepResult:
        """Go on until the resource is ready, or gone, or has to be placed anew; raises what the steps raise.

        When `pause` says so, the task is handed back: WAIT, and somebody goes on after the delay.
        """
        if kind is TaskKind.RELEASE:
            return self._release(saga_id, resource_id, pause)
        return self._provision(saga_id, resource_id, pause)

    def _provision(self, saga_id: str, resource_id: str, pause: Pause) -> StepResult:
        due: _Step = self._provisioning.create
        while True:
            resource = self._ledger.resource(saga_id, resource_id)
            if resource.claim is None:
                return _TO_BE_PLACED
            self._check_cluster(resource.claim.cluster)
            if resource.moving:
                result = self._moving.go_on(saga_id, resource_id)
                if result["next"] is Next.CREATE:
                    return result
            else:
                result = self._built(due, saga_id, resource_id)
            if result["next"] is Next.DONE:
                return result
            if not pause(result["delay"]):
                return {"next": Next.WAIT, "delay": result["delay"]}
            due = self._provisioning.create if result["next"] is Next.CREATE else self._provisioning.observe

    def _check_cluster(self, cluster: str | None) -> None:
        """Raise TerminalError for a task of another cluster.

        One that came late, since its machine has moved on, is awaited by nobody; any other went to the wrong queue.
        """
        if cluster not in self._clusters:
            served = ", ".join(sorted(self._clusters))
            raise TerminalError("WrongWorker", f"the task is for {cluster}, and came to the worker of {served}")

    def _built(self, step: _Step, saga_id: str, resource_id: str) -> StepResult:
        try:
            return step(saga_id, resource_id)
        except CapacityError as refusal:
            self._moving.begin(saga_id, resource_id, refusal)
            return {"next": Next.WAIT, "delay": 0}

    def _release(self, saga_id: str, resource_id: str, pause: Pause) -> StepResult:
        self._check_cluster(self._ledger.resource(saga_id, resource_id).cluster)
        due: _Step = self._releasing.delete
        while True:
            result = due(saga_id, resource_id)
            if result["next"] is Next.DONE:
                return result
            if not pause(result["delay"]):
                return {"next": Next.WAIT, "delay": result["delay"]}
            due = self._releasing.delete if result["next"] is Next.DELETE else self._releasing.observe
