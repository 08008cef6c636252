"""What is asked about costs, put together from the function's environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lambdas.adapters import clients
from lambdas.adapters.athena import AthenaCosts, AthenaPlace
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.settings import CostsSettings
from lambdas.adapters.summaries import DynamoSummaries
from lambdas.adapters.windows import DynamoWindows
from lambdas.core.costs import Costs


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
        athena_costs(settings),
        DynamoWindows(clients.dynamodb(), settings.windows),
        ParameterSources(Parameters(clients.parameters()), settings.sources),
        SystemClock(),
    )


def athena_costs(settings: CostsSettings) -> AthenaCosts:
    """Whoever answers questions about costs, and sums them up."""
    place = AthenaPlace(settings.workgroup, settings.database, settings.table)
    return AthenaCosts(clients.athena(), place, SystemClock())
