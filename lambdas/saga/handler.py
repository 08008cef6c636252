"""The Lambda handler of the steps about whole sagas."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lambdas.adapters import clients
from lambdas.adapters.expiry import SchedulerExpiry
from lambdas.adapters.observability import NEEDING_ATTENTION, STEPS_BROKEN, StepHandler, gauge, observed
from lambdas.adapters.settings import ExpirySettings, SagaSettings
from lambdas.adapters.spans import export_saga, exported
from lambdas.adapters.steps import deployed
from lambdas.core.model import Saga
from lambdas.core.states import ENDINGS, SagaStatus
from lambdas.core.steps.results import WaveResult
from lambdas.core.steps.saga import SagaSteps
from lambdas.saga.payloads import PAYLOAD, Ask, Begin, Conclude, Decide, Fail, Fence, Lapse, ListBatch, Unchecked


def saga_handler(make_steps: Callable[[], SagaSteps]) -> StepHandler:
    """The handler over steps that are made at the first call and kept as long as the function is warm."""
    steps = cache(make_steps)

    @observed("saga")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any] | None:
        payload = PAYLOAD.validate_python(event)
        if isinstance(payload, Begin | Decide | Fence | Conclude):
            decided = _decided(steps(), payload)
            if exported() and decided["next"] in ENDINGS:
                _export_whole(steps().header(payload.saga_id))
            return decided
        if isinstance(payload, ListBatch):
            return steps().list_batch(payload.saga_id, payload.wave, payload.batch, again=payload.again)
        if isinstance(payload, Fail | Unchecked) and payload.error.unforeseen:
            gauge(STEPS_BROKEN, 1)
        _record(steps(), payload)
        return None

    return handle


def _export_whole(saga: Saga) -> None:
    """Export the span that covers a saga which has ended, from its submission on."""
    if saga.finished_at is not None:
        well = saga.status is not SagaStatus.NEEDS_ATTENTION
        export_saga(saga.id, saga.created_at, saga.finished_at, saga.status, well=well)


def _record(steps: SagaSteps, payload: Ask | Lapse | Fail | Unchecked) -> None:
    match payload:
        case Ask():
            steps.approvals.ask(payload.saga_id, payload.token)
        case Lapse():
            steps.approvals.lapse(payload.saga_id, payload.error.text)
        case Fail(step="fail"):
            steps.fail(payload.saga_id, payload.resource_id, payload.error.text)
        case Fail():
            steps.stick(payload.saga_id, payload.resource_id, payload.error.text)
        case Unchecked():
            steps.leave_unchecked(payload.saga_id, payload.cloud, payload.error.text)


def _decided(steps: SagaSteps, payload: Begin | Decide | Fence | Conclude) -> WaveResult:
    match payload:
        case Begin():
            return steps.begin(payload.saga_id)
        case Decide():
            return steps.decide(payload.saga_id, payload.wave)
        case Fence():
            return steps.fence(payload.saga_id, payload.reason)
        case Conclude():
            concluded = steps.conclude(payload.saga_id, payload.wave)
            if concluded["next"] == SagaStatus.NEEDS_ATTENTION:
                gauge(NEEDING_ATTENTION, 1)
            return concluded


def _deployed_steps() -> SagaSteps:
    ledger, clock, policy = deployed()
    functions = SagaSettings.from_environment(os.environ).provider_functions
    expiry = SchedulerExpiry(clients.scheduler(), ExpirySettings.from_environment(os.environ), clock)
    return SagaSteps(ledger, clock, policy, functions, expiry)


handler = saga_handler(_deployed_steps)
