"""The collector of AWS's costs: which client reads which source, in whose account."""

from __future__ import annotations

import os
from functools import cache

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.parameters import Parameters, ParameterTargets
from lambdas.adapters.settings import TargetSettings
from lambdas.aws.clients import AwsAccounts, AwsClients
from lambdas.aws.costs.cost_explorer import CostExplorerCosts
from lambdas.aws.costs.data_exports import DataExportCosts
from lambdas.aws.settings import AwsSettings
from lambdas.core.billing.sources import AnySource, CostExplorer, DataExport
from lambdas.core.errors import Misconfigured, TerminalError
from lambdas.core.ports.costs import CostSource
from lambdas.core.targets import DEFAULT, Target


def cost_source(source: AnySource) -> CostSource:
    """What reads a source; raises TerminalError for one of another cloud, Misconfigured for an unknown target."""
    match source:
        case CostExplorer():
            return CostExplorerCosts(_account(source.target), source, SystemClock())
        case DataExport():
            return DataExportCosts(_account(source.target), source)
        case _:
            raise TerminalError("WrongCollector", f"{source.name} is not a source on AWS")


def _account(target: str) -> AwsClients:
    return _accounts().of(_declared(target))


@cache
def _accounts() -> AwsAccounts:
    return AwsAccounts(AwsSettings.from_environment(os.environ))


def _declared(target: str) -> Target | None:
    """The target of that name as it is declared now; the default one needs no declaration."""
    parameter = TargetSettings.from_environment(os.environ).target_parameters["aws"]
    targets = ParameterTargets(Parameters(clients.parameters()), {"aws": parameter}).declared()["aws"]
    if target not in targets and target != DEFAULT:
        raise Misconfigured(f"the SSM parameter {parameter} declares no target {target!r}, which a source names")
    return targets.get(target)
