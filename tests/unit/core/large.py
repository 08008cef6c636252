"""Sagas of more resources than one order of writes is enough for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from lambdas.core.model import Saga
from lambdas.core.plan import new_saga_id, plan_saga
from lambdas.core.ports.ledger import IdempotencyKey, Standing
from lambdas.core.request import parse_request
from lambdas.core.specs import ResourceDefinition
from lambdas.core.states import ENDINGS, SagaStatus
from tests.fakes.documents import aws_disk, request_document
from tests.unit.core.world import World


def open_large(world: World, *resources: dict[str, Any]) -> str:
    """A saga of those resources, however many they are, that is being provisioned."""
    definitions = TypeAdapter[list[ResourceDefinition]](list[ResourceDefinition]).validate_python(list(resources))
    request = parse_request(request_document(aws_disk())).model_copy(update={"resources": definitions})
    planned = plan_saga(request, new_saga_id(world.clock.now()), world.caller, world.clock.now())
    world.ledger.open(planned.saga, planned.resources, IdempotencyKey(world.caller, planned.saga.id, ""))
    assert planned.saga.division is not None
    become(world, planned.saga.id, SagaStatus.PROVISIONING)
    return planned.saga.id


def become(world: World, saga_id: str, *statuses: SagaStatus) -> None:
    """Let a saga go through some statuses, whatever its resources have."""
    for status in statuses:
        finished_at = world.clock.now() if status in ENDINGS else None

        def change(now: Standing, it: SagaStatus = status, at: datetime | None = finished_at) -> Saga:
            return now.saga.model_copy(update={"status": it, "finished_at": at})

        world.ledger.change_saga(saga_id, change)
