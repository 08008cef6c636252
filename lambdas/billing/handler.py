"""The Lambda handlers of billing's own steps: what starts a collection, what begins it, and what ends it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.executions import StepFunctionsCollections
from lambdas.adapters.observability import StepHandler, observed
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.settings import BillingSettings, StartSettings
from lambdas.adapters.summarising import deployed_summarising
from lambdas.adapters.windows import DynamoWindows
from lambdas.billing.payloads import PAYLOAD, Plan, Summarise
from lambdas.core.billing.spans import window_name, window_of
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.collections import Collections
from lambdas.core.steps.billing import BillingSteps
from lambdas.core.steps.summarising import SummarisingSteps


def start_handler(make_collections: Callable[[], Collections], clock: Clock) -> StepHandler:
    """The handler that a schedule calls each hour."""
    collections = cache(make_collections)

    @observed("start")
    def handle(_: dict[str, Any], __: object) -> Mapping[str, Any]:
        window = window_name(window_of(clock.now()))
        collections().start(window)
        return {"window": window}

    return handle


def billing_handler(
    make_steps: Callable[[], BillingSteps], make_summarising: Callable[[], SummarisingSteps]
) -> StepHandler:
    """The handler over steps that are made when they are first asked for."""
    steps, summarising = cache(make_steps), cache(make_summarising)

    @observed("billing")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any]:
        payload = PAYLOAD.validate_python(event)
        if isinstance(payload, Plan):
            return {"window": payload.window, "sources": steps().plan(payload.window)}
        if isinstance(payload, Summarise):
            return summarising().summarise(payload.window)
        steps().note_failure(payload.window, payload.source, payload.error, payload.cause)
        return {"source": payload.source}

    return handle


def _deployed_steps() -> BillingSteps:
    settings = BillingSettings.from_environment(os.environ)
    return BillingSteps(
        ParameterSources(Parameters(clients.parameters()), settings.sources),
        settings.collectors,
        DynamoWindows(clients.dynamodb(), settings.windows),
        SystemClock(),
    )


def _deployed_collections() -> Collections:
    machine = StartSettings.from_environment(os.environ).state_machine
    return StepFunctionsCollections(clients.stepfunctions(), machine)


start = start_handler(_deployed_collections, SystemClock())
handler = billing_handler(_deployed_steps, deployed_summarising)
