"""The collector of AWS's costs: which client reads which source, in whose account."""

from __future__ import annotations

import os
from functools import cache

from lambdas.adapters.clock import SystemClock
from lambdas.adapters.collecting import collect_handler, declared_target
from lambdas.aws.clients import AwsAccounts, AwsClients
from lambdas.aws.costs.cost_explorer import CostExplorerCosts
from lambdas.aws.costs.data_exports import DataExportCosts
from lambdas.aws.settings import AwsSettings
from lambdas.core.billing.sources import AnySource, CostExplorer, DataExport
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import CostSource


def cost_source(source: AnySource) -> CostSource:
    """What reads a source; raises TerminalError for one of another cloud, or whose target is not declared."""
    match source:
        case CostExplorer():
            return CostExplorerCosts(_account(source.target), source, SystemClock())
        case DataExport():
            return DataExportCosts(_account(source.target), source)
        case _:
            raise TerminalError("WrongCollector", f"{source.name} is not a source on AWS")


def _account(target: str) -> AwsClients:
    return _accounts().of(declared_target("aws", target))


@cache
def _accounts() -> AwsAccounts:
    return AwsAccounts(AwsSettings.from_environment(os.environ))


handler = collect_handler(cost_source)
