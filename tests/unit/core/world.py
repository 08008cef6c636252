"""The core's steps over fakes, and sagas in the states that tests begin with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from lambdas.core.model import Approval, ApprovalPoint, Intent, Resource, Saga
from lambdas.core.noting import NotingProvider
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.policy import Policy
from lambdas.core.ports.ledger import IdempotencyKey
from lambdas.core.request import parse_request
from lambdas.core.states import ResourceStatus, SagaStatus
from lambdas.core.steps.provisioning import ProvisioningSteps, intent_of
from lambdas.core.steps.releasing import ReleaseSteps
from lambdas.core.steps.saga import ReleaseReason, SagaSteps
from tests.fakes.clock import FakeClock
from tests.fakes.documents import aws_disk, aws_instance, request_document
from tests.fakes.expiry import FakeExpiry
from tests.fakes.ledger import FakeLedger
from tests.fakes.provider import FakeProvider

VERBS: Final = ("create", "observe", "delete")
FUNCTIONS: Final = {cloud: {verb: f"{cloud}-{verb}" for verb in VERBS} for cloud in ("aws", "azure", "gcp")}
POLICY: Final = Policy(create_timeout=600, release_timeout=900, min_delay=2, max_delay=60)

DISK: Final = "data-aws"
WEB: Final = "web-aws"


@dataclass
class World:
    clock: FakeClock
    ledger: FakeLedger
    cloud: FakeProvider
    provisioning: ProvisioningSteps
    release: ReleaseSteps
    sagas: SagaSteps
    expiry: FakeExpiry
    caller: str = "somebody"

    def open(self, *resources: dict[str, Any]) -> str:
        """A pending saga of those resources, or of a disk and, in the second wave, an instance it is attached to."""
        document = request_document(*(resources or (aws_instance(disks=(DISK,)), aws_disk())))
        now = self.clock.now()
        planned = plan_saga(parse_request(document), new_saga_id(now), self.caller, now)
        self.ledger.open(planned.saga, planned.resources, IdempotencyKey(self.caller, planned.saga.id, ""))
        return planned.saga.id

    def provisioning_saga(self, *resources: dict[str, Any]) -> str:
        saga_id = self.open(*resources)
        self.sagas.begin(saga_id)
        return saga_id

    def awaiting_approval(self) -> str:
        """A saga whose disk and instance are ready, and that waits for approval with the token `token-1`."""
        saga_id = self.open()
        approval = Approval(before=ApprovalPoint.COMMIT, within=timedelta(hours=1))
        self.ledger.change_saga(saga_id, lambda now: now.saga.model_copy(update={"approval": approval}))
        self.sagas.begin(saga_id)
        self.make_ready(saga_id, DISK)
        self.make_ready(saga_id, WEB)
        self.sagas.approvals.ask(saga_id, "token-1")
        return saga_id

    def committed_saga(self) -> str:
        saga_id = self.provisioning_saga()
        self.make_ready(saga_id, DISK)
        self.make_ready(saga_id, WEB)
        self.sagas.decide(saga_id, 1)
        assert self.saga(saga_id).status is SagaStatus.COMMITTED
        return saga_id

    def make_ready(self, saga_id: str, resource_id: str) -> None:
        for _ in self.cloud.part_names:
            self.provisioning.create(saga_id, resource_id)
            self.clock.advance(self.cloud.seconds_to_ready)
            self.provisioning.observe(saga_id, resource_id)
        assert self.resource(saga_id, resource_id).status is ResourceStatus.READY

    def make_absent(self, saga_id: str, resource_id: str) -> None:
        self.release.delete(saga_id, resource_id)
        self.release.observe(saga_id, resource_id)
        self.clock.advance(self.cloud.settling_seconds)
        self.release.observe(saga_id, resource_id)
        assert self.resource(saga_id, resource_id).status is ResourceStatus.ABSENT

    def compensate(self, saga_id: str) -> None:
        self.sagas.fence(saga_id, ReleaseReason.COMPENSATE)

    def cancel(self, saga_id: str) -> None:
        self.ledger.change_saga(saga_id, lambda now: now.saga.model_copy(update={"cancel_requested": True}))

    def saga(self, saga_id: str) -> Saga:
        return self.ledger.saga(saga_id)

    def resource(self, saga_id: str, resource_id: str) -> Resource:
        return self.ledger.resource(saga_id, resource_id)

    def status(self, saga_id: str, resource_id: str) -> ResourceStatus:
        return self.resource(saga_id, resource_id).status

    def intent(self, saga_id: str, resource_id: str) -> Intent:
        return intent_of(self.ledger, self.saga(saga_id), self.resource(saga_id, resource_id))


def make_world() -> World:
    clock = FakeClock()
    ledger = FakeLedger(clock)
    cloud = FakeProvider(clock)
    noting = NotingProvider(cloud, ledger)
    expiry = FakeExpiry()
    return World(
        clock,
        ledger,
        cloud,
        ProvisioningSteps(ledger, noting, clock, POLICY),
        ReleaseSteps(ledger, noting, clock, POLICY),
        SagaSteps(ledger, clock, POLICY, FUNCTIONS, expiry),
        expiry,
    )
