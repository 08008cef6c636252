"""From a state machine's payload to a step of the core, and back: what every step handler shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import StepHandler, observed
from lambdas.adapters.settings import LedgerSettings
from lambdas.core.discretion import DiscreetPreflight, DiscreetProvider
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Preflight, Provider, PublicProvider
from lambdas.core.preflight import Shortage
from lambdas.core.specs import ResourceDefinition
from lambdas.core.steps.checking import CheckSteps, planned_intents
from lambdas.core.steps.provisioning import ProvisioningSteps
from lambdas.core.steps.releasing import ReleaseSteps
from lambdas.core.targets import Target


class Surroundings(NamedTuple):
    """What steps work with besides a provider."""

    ledger: Ledger
    clock: Clock
    policy: Policy


def deployed() -> Surroundings:
    """The surroundings that the function's environment describes."""
    clock = SystemClock()
    table = LedgerSettings.from_environment(os.environ).table
    return Surroundings(DynamoLedger(clients.dynamodb(), table, clock), clock, Policy.from_environment(os.environ))


class ResourcePayload(BaseModel):
    """What the state machines send about one resource."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    saga_id: str
    resource_id: str


class CheckPayload(BaseModel):
    """A cloud to be asked for shortages: of a saga, or of the resources of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    saga_id: str = ""
    cloud: str
    resources: tuple[ResourceDefinition, ...] = ()
    targets: dict[str, Target] = {}


class ObservePayload(ResourcePayload):
    """A look at one resource: for its readiness, or for its absence."""

    goal: Literal["READY", "ABSENT"]


class ProviderHandlers(NamedTuple):
    """The Lambda handlers of one provider, one for each verb."""

    create: StepHandler
    observe: StepHandler
    delete: StepHandler
    check: StepHandler


def provider_handlers(
    make_provider: Callable[[], PublicProvider], make_surroundings: Callable[[], Surroundings] = deployed
) -> ProviderHandlers:
    """The handlers of one provider. Clients are made at the first call and kept as long as the function is warm."""
    steps = _ProviderSteps(make_provider, make_surroundings)

    @observed("create")
    def create(event: dict[str, Any], _: object) -> Any:
        payload = ResourcePayload.model_validate(event)
        return steps.provisioning.create(payload.saga_id, payload.resource_id)

    @observed("observe")
    def observe(event: dict[str, Any], _: object) -> Any:
        payload = ObservePayload.model_validate(event)
        looking = steps.provisioning if payload.goal == "READY" else steps.releasing
        return looking.observe(payload.saga_id, payload.resource_id)

    @observed("delete")
    def delete(event: dict[str, Any], _: object) -> Any:
        payload = ResourcePayload.model_validate(event)
        return steps.releasing.delete(payload.saga_id, payload.resource_id)

    @observed("check")
    def check(event: dict[str, Any], _: object) -> Any:
        payload = CheckPayload.model_validate(event, strict=False)
        if payload.saga_id:
            return {"short": steps.checking.check(payload.saga_id, payload.cloud)}
        found = steps.shortages(payload.cloud, payload.resources, payload.targets)
        return {"shortages": [it.model_dump(mode="json") for it in found]}

    return ProviderHandlers(create, observe, delete, check)


class _ProviderSteps:
    def __init__(
        self, make_provider: Callable[[], PublicProvider], make_surroundings: Callable[[], Surroundings]
    ) -> None:
        self._make_provider = make_provider
        self._make_surroundings = make_surroundings

    @cached_property
    def _surroundings(self) -> Surroundings:
        return self._make_surroundings()

    @cached_property
    def _provider(self) -> PublicProvider:
        return self._make_provider()

    @property
    def _parts(self) -> tuple[Ledger, Provider, Clock, Policy]:
        ledger, clock, policy = self._surroundings
        return ledger, DiscreetProvider(self._provider), clock, policy

    @cached_property
    def provisioning(self) -> ProvisioningSteps:
        return ProvisioningSteps(*self._parts)

    @cached_property
    def releasing(self) -> ReleaseSteps:
        return ReleaseSteps(*self._parts)

    @cached_property
    def checking(self) -> CheckSteps:
        return CheckSteps(self._surroundings.ledger, self._preflight)

    def shortages(
        self, cloud: str, resources: Sequence[ResourceDefinition], targets: Mapping[str, Target]
    ) -> list[Shortage]:
        asked = [it for it in resources if it.provider == cloud]
        return self._preflight.shortages(planned_intents(resources, asked, targets))

    @property
    def _preflight(self) -> Preflight:
        return DiscreetPreflight(self._provider)
