"""The Lambda handler of the steps about whole sagas."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lambdas.adapters.observability import StepHandler, observed
from lambdas.adapters.settings import SagaSettings
from lambdas.adapters.steps import deployed
from lambdas.core.steps.results import WaveResult
from lambdas.core.steps.saga import SagaSteps
from lambdas.saga.payloads import PAYLOAD, Begin, Conclude, Decide, Fail, Fence


def saga_handler(make_steps: Callable[[], SagaSteps]) -> StepHandler:
    """The handler over steps that are made at the first call and kept as long as the function is warm."""
    steps = cache(make_steps)

    @observed("saga")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any] | None:
        payload = PAYLOAD.validate_python(event)
        if isinstance(payload, Fail):
            record = steps().fail if payload.step == "fail" else steps().stick
            record(payload.saga_id, payload.resource_id, payload.error.text)
            return None
        return _decided(steps(), payload)

    return handle


def _decided(steps: SagaSteps, payload: Begin | Decide | Fence | Conclude) -> WaveResult:
    match payload:
        case Begin():
            return steps.begin(payload.saga_id)
        case Decide():
            return steps.decide(payload.saga_id, payload.wave)
        case Fence():
            return steps.fence(payload.saga_id, payload.reason)
        case Conclude():
            return steps.conclude(payload.saga_id, payload.wave)


def _deployed_steps() -> SagaSteps:
    ledger, clock, _ = deployed()
    return SagaSteps(ledger, clock, SagaSettings.from_environment(os.environ).provider_functions)


handler = saga_handler(_deployed_steps)
