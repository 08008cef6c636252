"""The collector of Azure's costs: which client reads which source, as which target."""

from __future__ import annotations

import os
from functools import cache

from lambdas.adapters.sweeping import deployed_targets
from lambdas.azure.clients import AzureClients, AzureSubscriptions
from lambdas.azure.costs.cost_exports import CostExportCosts
from lambdas.azure.costs.cost_query import CostQueryCosts
from lambdas.azure.settings import AzureSettings
from lambdas.core.billing.sources import AnySource, CostExport, CostQuery
from lambdas.core.errors import Misconfigured, TerminalError
from lambdas.core.ports.costs import CostSource
from lambdas.core.targets import DEFAULT


def cost_source(source: AnySource) -> CostSource:
    """What reads a source; raises TerminalError for one of another cloud, Misconfigured for an unknown target."""
    match source:
        case CostQuery():
            return CostQueryCosts(_clients(source.target), source)
        case CostExport():
            return CostExportCosts(_clients(source.target), source)
        case _:
            raise TerminalError("WrongCollector", f"{source.name} is not a source on Azure")


def _clients(target: str) -> AzureClients:
    declared = deployed_targets()["azure"]
    if target not in declared and target != DEFAULT:
        raise Misconfigured(f"Azure has no target {target!r} any more, which a source names")
    return _subscriptions().of(declared.get(target))


@cache
def _subscriptions() -> AzureSubscriptions:
    return AzureSubscriptions(AzureSettings.from_environment(os.environ))
