"""What is asked about costs, and what ends a collection, put together from the function's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lambdas.adapters import clients
from lambdas.adapters.announcements import EventBridgeAnnouncements
from lambdas.adapters.athena import AthenaCosts, AthenaPlace
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.observability import gauge
from lambdas.adapters.parameters import ParameterBudgets, Parameters, ParameterSources
from lambdas.adapters.settings import CostsSettings, SummarySettings
from lambdas.adapters.summaries import DynamoSummaries
from lambdas.adapters.windows import DynamoWindows
from lambdas.core.costs import Costs
from lambdas.core.steps.summarising import SummarisingSteps


def collected(environ: Mapping[str, str]) -> bool:
    """Whether the deployment collects costs at all."""
    return bool(environ.get("WINDOWS_TABLE"))


def deployed_saga_costs() -> DynamoSummaries:
    """What each saga costs, in the table that the environment names."""
    return DynamoSummaries(clients.dynamodb(), os.environ["WINDOWS_TABLE"])


def deployed_costs() -> Costs:
    """The costs that the environment describes."""
    settings = CostsSettings.from_environment(os.environ)
    return Costs(
        _athena(settings),
        DynamoWindows(clients.dynamodb(), settings.windows),
        ParameterSources(Parameters(clients.parameters()), settings.sources),
        SystemClock(),
    )


def deployed_summarising() -> SummarisingSteps:
    """The step that ends a collection, as the environment describes it."""
    settings = SummarySettings.from_environment(os.environ)
    parameters, dynamodb = Parameters(clients.parameters()), clients.dynamodb()
    return SummarisingSteps(
        _athena(settings),
        DynamoSummaries(dynamodb, settings.windows),
        ParameterBudgets(parameters, settings.budgets),
        EventBridgeAnnouncements(clients.events()),
        ParameterSources(parameters, settings.sources),
        DynamoWindows(dynamodb, settings.windows),
        SystemClock(),
        gauge,
    )


def _athena(settings: CostsSettings) -> AthenaCosts:
    place = AthenaPlace(settings.workgroup, settings.database, settings.table)
    return AthenaCosts(clients.athena(), place, SystemClock())
