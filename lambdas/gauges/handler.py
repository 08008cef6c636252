"""The Lambda handler that measures once a minute: how long sagas take, how full queues are, how old costs are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import DynamoClusters
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import StepHandler, logger, measure, observed
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.queue import SqsDepths
from lambdas.adapters.settings import GaugeSettings
from lambdas.adapters.windows import DynamoWindows
from lambdas.core.errors import Misconfigured, SkysagaError, StepError
from lambdas.core.steps.measuring import BillingMeasures, ClusterMeasures, Measured, SagaMeasures

Measure = Callable[[], Iterable[Measured]]


def gauges_handler(make: Callable[[], Sequence[Measure]]) -> StepHandler:
    """The handler over what is to be measured, known from the first call on.

    What cannot be measured does not keep the others from it; the call fails in the end, so that it shows.
    """
    measures = cache(make)

    @observed("gauges")
    def handle(_: dict[str, Any], __: object) -> None:
        failures = [error for error in map(_written, measures()) if error is not None]
        if failures:
            raise failures[0]

    return handle


def _written(measured: Measure) -> SkysagaError | None:
    try:
        for it in measured():
            measure(it.metric, it.value, "Seconds" if it.seconds else "Count", **it.dimensions)
    except (Misconfigured, StepError) as error:
        logger.warning("not measured", extra={"reason": str(error)})
        return error
    return None


def _deployed() -> Sequence[Measure]:
    settings, clock, dynamodb = GaugeSettings.from_environment(os.environ), SystemClock(), clients.dynamodb()
    sagas = SagaMeasures(DynamoLedger(dynamodb, settings.table, clock), clock)
    clusters = ClusterMeasures(DynamoClusters(dynamodb, settings.table, clock), SqsDepths(clients.queues()), clock)
    if not settings.sources:
        return [sagas, clusters]
    sources = ParameterSources(Parameters(clients.parameters()), settings.sources)
    return [sagas, clusters, BillingMeasures(sources, DynamoWindows(dynamodb, settings.windows), clock)]


handler = gauges_handler(_deployed)
