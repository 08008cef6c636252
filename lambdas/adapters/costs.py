"""What is asked about costs, put together from the function's environment.

What answers is imported when it is asked: the API starts for many other calls.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.settings import CostsSettings

if TYPE_CHECKING:
    from lambdas.adapters.athena import AthenaCosts
    from lambdas.adapters.summaries import DynamoSummaries
    from lambdas.core.costs import Costs


def collected(environ: Mapping[str, str]) -> bool:
    """Whether the deployment collects costs at all."""
    return bool(environ.get("WINDOWS_TABLE"))


def deployed_saga_costs() -> DynamoSummaries:
    """What each saga costs, in the table that the environment names."""
    from lambdas.adapters.summaries import DynamoSummaries  # noqa: PLC0415 -- as above

    return DynamoSummaries(clients.dynamodb(), os.environ["WINDOWS_TABLE"])


def deployed_costs() -> Costs:
    """The costs that the environment describes."""
    from lambdas.adapters.windows import DynamoWindows  # noqa: PLC0415 -- as above
    from lambdas.core.costs import Costs  # noqa: PLC0415 -- as above

    settings = CostsSettings.from_environment(os.environ)
    return Costs(
        athena_costs(settings),
        DynamoWindows(clients.dynamodb(), settings.windows),
        ParameterSources(Parameters(clients.parameters()), settings.sources),
        SystemClock(),
    )


def athena_costs(settings: CostsSettings) -> AthenaCosts:
    """Whoever answers questions about costs, and sums them up."""
    from lambdas.adapters.athena import AthenaCosts, AthenaPlace  # noqa: PLC0415 -- as above

    place = AthenaPlace(settings.workgroup, settings.database, settings.table)
    return AthenaCosts(clients.athena(), place, SystemClock())
