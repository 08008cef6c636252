"""The Lambda handler that publishes what a collector has staged."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.collecting import declared_source
from lambdas.adapters.observability import StepHandler, gauge, logger, observed
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.settings import CollectorSettings
from lambdas.adapters.windows import DynamoWindows
from lambdas.billing.cost_files import S3CostFiles
from lambdas.billing.payloads import PublishPayload
from lambdas.core.ports.costs import SourceDeclarations
from lambdas.core.steps.publishing import PublishingSteps

LATE_WINDOWS: Final = "BillingLateWindows"
"""Closed windows of which a later read found something else."""


class Publisher(NamedTuple):
    """What is declared, and who publishes it."""

    declarations: SourceDeclarations
    steps: PublishingSteps


def publish_handler(make: Callable[[], Publisher]) -> StepHandler:
    """The handler over a publisher that is made at the first call."""
    publisher = cache(make)

    @observed("publish")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any]:
        payload = PublishPayload.model_validate(event)
        published = publisher().steps.publish(declared_source(publisher().declarations, payload.source))
        logger.info("published", extra={"published": published})
        if published["late"]:
            gauge(LATE_WINDOWS, len(published["late"]))
        return published | {"late": published["late"][:10]}

    return handle


def _deployed() -> Publisher:
    settings = CollectorSettings.from_environment(os.environ)
    files = S3CostFiles(clients.storage(), settings.bucket, SystemClock())
    windows = DynamoWindows(clients.dynamodb(), settings.windows)
    declarations = ParameterSources(Parameters(clients.parameters()), settings.sources)
    return Publisher(declarations, PublishingSteps(files, windows, SystemClock()))


handler = publish_handler(_deployed)
