"""From a state machine's payload to a step of the core, and back: what every step handler shares."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import StepHandler, observed
from lambdas.adapters.settings import LedgerSettings
from lambdas.core.policy import Policy
from lambdas.core.ports.provider import Provider
from lambdas.core.steps.provisioning import ProvisioningSteps
from lambdas.core.steps.releasing import ReleaseSteps


class ResourcePayload(BaseModel):
    """What the state machines send about one resource."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    saga_id: str
    resource_id: str


class ObservePayload(ResourcePayload):
    """A look at one resource: for its readiness, or for its absence."""

    goal: Literal["READY", "ABSENT"]


class ProviderHandlers(NamedTuple):
    """The Lambda handlers of one provider, one for each verb."""

    create: StepHandler
    observe: StepHandler
    delete: StepHandler


def provider_handlers(make_provider: Callable[[], Provider]) -> ProviderHandlers:
    """The handlers of one provider. Clients are made at the first call and kept as long as the function is warm."""
    steps = _Once(make_provider)

    @observed("create")
    def create(event: dict[str, Any], _: object) -> Any:
        payload = ResourcePayload.model_validate(event)
        return steps.provisioning.create(payload.saga_id, payload.resource_id)

    @observed("observe")
    def observe(event: dict[str, Any], _: object) -> Any:
        payload = ObservePayload.model_validate(event)
        looking = steps.provisioning if payload.goal == "READY" else steps.release
        return looking.observe(payload.saga_id, payload.resource_id)

    @observed("delete")
    def delete(event: dict[str, Any], _: object) -> Any:
        payload = ResourcePayload.model_validate(event)
        return steps.release.delete(payload.saga_id, payload.resource_id)

    return ProviderHandlers(create, observe, delete)


def ledger() -> DynamoLedger:
    """The ledger that the function's environment names."""
    table = LedgerSettings.from_environment(os.environ).table
    return DynamoLedger(clients.dynamodb(), table, SystemClock())


class _Once:
    """The steps of one provider, made when first needed."""

    def __init__(self, make_provider: Callable[[], Provider]) -> None:
        self._make_provider = make_provider
        self._steps: tuple[ProvisioningSteps, ReleaseSteps] | None = None

    @property
    def provisioning(self) -> ProvisioningSteps:
        return self._made()[0]

    @property
    def release(self) -> ReleaseSteps:
        return self._made()[1]

    def _made(self) -> tuple[ProvisioningSteps, ReleaseSteps]:
        if self._steps is None:
            parts = ledger(), self._make_provider(), SystemClock(), Policy.from_environment(os.environ)
            self._steps = ProvisioningSteps(*parts), ReleaseSteps(*parts)
        return self._steps
