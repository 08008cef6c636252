"""The step that ends a collection, put together from the function's environment."""

from __future__ import annotations

import os

from lambdas.adapters import clients
from lambdas.adapters.announcements import EventBridgeAnnouncements
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.costs import athena_costs
from lambdas.adapters.observability import gauge
from lambdas.adapters.parameters import ParameterBudgets, Parameters, ParameterSources
from lambdas.adapters.settings import SummarySettings
from lambdas.adapters.summaries import DynamoSummaries
from lambdas.adapters.windows import DynamoWindows
from lambdas.core.steps.summarising import SummarisingSteps


def deployed_summarising() -> SummarisingSteps:
    """The step as the environment describes it."""
    settings = SummarySettings.from_environment(os.environ)
    parameters, dynamodb = Parameters(clients.parameters()), clients.dynamodb()
    return SummarisingSteps(
        athena_costs(settings),
        DynamoSummaries(dynamodb, settings.windows),
        ParameterBudgets(parameters, settings.budgets),
        EventBridgeAnnouncements(clients.events()),
        ParameterSources(parameters, settings.sources),
        DynamoWindows(dynamodb, settings.windows),
        SystemClock(),
        gauge,
    )
