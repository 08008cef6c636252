"""From a state machine's payload to a step of the core, and back: what every step handler shares."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import StepHandler, logger, observed
from lambdas.adapters.settings import LedgerSettings
from lambdas.core.discretion import DiscreetPreflight, DiscreetProvider
from lambdas.core.errors import Misconfigured, StepError
from lambdas.core.model import Intent
from lambdas.core.noting import NotingProvider
from lambdas.core.policy import Policy
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Preflight, Prices, PublicProvider
from lambdas.core.specs import ResourceDefinition
from lambdas.core.steps.checking import CheckSteps, planned_intents
from lambdas.core.steps.provisioning import ProvisioningSteps
from lambdas.core.steps.releasing import ReleaseSteps
from lambdas.core.steps.results import StepResult
from lambdas.core.steps.rounds import within_round
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
    """What the state machines send about one resource; `round_began` where it is worked on in rounds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    saga_id: str
    resource_id: str
    round_began: AwareDatetime | None = None


class CheckPayload(BaseModel):
    """A cloud to be asked for shortages: of a saga, or of a plan's resources on it; their targets are by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)

    saga_id: str = ""
    cloud: str
    resources: tuple[ResourceDefinition, ...] = ()
    named_targets: dict[str, Target] = {}


class ObservePayload(ResourcePayload):
    """A look at one resource: for its readiness, or for its absence."""

    goal: Literal["READY", "ABSENT"]


class ProviderHandlers(NamedTuple):
    """The Lambda handlers of one provider, one for each verb."""

    create: StepHandler
    observe: StepHandler
    delete: StepHandler
    check: StepHandler


Step = Callable[[str, str], StepResult]
"""A step about one resource: the saga's id, the resource's id."""


class CloudSteps(NamedTuple):
    """The steps of one cloud, and who says what it would refuse."""

    create: Step
    observe: Step
    delete: Step
    observe_absence: Step
    ledger: Ledger
    clock: Clock
    preflight: Preflight
    prices: Callable[[], Prices] | None = None


def provider_handlers(
    make_provider: Callable[[], PublicProvider],
    make_surroundings: Callable[[], Surroundings] = deployed,
    make_prices: Callable[[], Prices] | None = None,
) -> ProviderHandlers:
    """The handlers of one provider. Clients are made at the first call and kept as long as the function is warm.

    Without `make_prices` nobody knows what anything costs there.
    """

    def make_steps() -> CloudSteps:
        ledger, clock, policy = make_surroundings()
        provider = make_provider()
        noting = NotingProvider(DiscreetProvider(provider), ledger)
        provisioning = ProvisioningSteps(ledger, noting, clock, policy)
        releasing = ReleaseSteps(ledger, noting, clock, policy)
        return CloudSteps(
            provisioning.create,
            provisioning.observe,
            releasing.delete,
            releasing.observe,
            ledger,
            clock,
            DiscreetPreflight(provider),
            cache(make_prices) if make_prices else None,
        )

    return step_handlers(make_steps)


def step_handlers(make_steps: Callable[[], CloudSteps]) -> ProviderHandlers:
    """The handlers over steps that are made at the first call and kept as long as the function is warm."""
    steps = cache(make_steps)

    def taken(step: Step, payload: ResourcePayload) -> StepResult:
        result = step(payload.saga_id, payload.resource_id)
        if payload.round_began is None:
            return result
        return within_round(result, payload.round_began, steps().clock.now())

    @observed("create")
    def create(event: dict[str, Any], _: object) -> Any:
        return taken(steps().create, ResourcePayload.model_validate(event))

    @observed("observe")
    def observe(event: dict[str, Any], _: object) -> Any:
        payload = ObservePayload.model_validate(event)
        return taken(steps().observe if payload.goal == "READY" else steps().observe_absence, payload)

    @observed("delete")
    def delete(event: dict[str, Any], _: object) -> Any:
        return taken(steps().delete, ResourcePayload.model_validate(event))

    @observed("check")
    def check(event: dict[str, Any], _: object) -> Any:
        payload = CheckPayload.model_validate(event, strict=False)
        preflight = steps().preflight
        if payload.saga_id:
            return {"short": CheckSteps(steps().ledger, preflight).check(payload.saga_id, payload.cloud)}
        known = payload.named_targets
        targets = {it.id: known[it.target] for it in payload.resources if it.target in known}
        intents = planned_intents(payload.resources, targets)
        found = preflight.shortages(intents)
        return {"shortages": [it.model_dump(mode="json") for it in found], **_priced(steps().prices, intents)}

    return ProviderHandlers(create, observe, delete, check)


def _priced(prices: Callable[[], Prices] | None, intents: Sequence[Intent]) -> dict[str, Any]:
    """What the intents cost; where that cannot be told, why: a plan is worth something without."""
    if prices is None:
        return {}
    try:
        return {"prices": [it.model_dump(mode="json") for it in prices().prices(intents)]}
    except (StepError, Misconfigured) as error:
        logger.warning("no prices", extra={"reason": str(error)})
        return {"unpriced": str(error) if isinstance(error, StepError) else "an operator has to mend what is declared"}
