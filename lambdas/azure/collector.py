"""The collector of Azure's costs: which client reads which source, as which target."""

from __future__ import annotations

import os
from functools import cache

from lambdas.adapters.collecting import collect_handler, declared_target
from lambdas.azure.costs.clients import CostClients, CostSubscriptions
from lambdas.azure.costs.cost_exports import CostExportCosts
from lambdas.azure.costs.cost_query import CostQueryCosts
from lambdas.azure.settings import AzureSettings
from lambdas.core.billing.sources import AnySource, CostExport, CostQuery
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import CostSource


def cost_source(source: AnySource) -> CostSource:
    """What reads a source; raises TerminalError for one of another cloud, or whose target is not declared."""
    match source:
        case CostQuery():
            return CostQueryCosts(_clients(source.target), source)
        case CostExport():
            return CostExportCosts(_clients(source.target), source)
        case _:
            raise TerminalError("WrongCollector", f"{source.name} is not a source on Azure")


def _clients(target: str) -> CostClients:
    return _subscriptions().of(declared_target("azure", target))


@cache
def _subscriptions() -> CostSubscriptions:
    return CostSubscriptions(AzureSettings.from_environment(os.environ))


handler = collect_handler(cost_source)
