"""Collects what Google projects cost."""

from __future__ import annotations

import os

from lambdas.adapters.collecting import collect_handler, declared_target
from lambdas.core.billing.sources import AnySource, BigQueryExport
from lambdas.core.errors import TerminalError
from lambdas.core.ports.costs import CostSource
from lambdas.core.targets import GcpTarget
from lambdas.gcp.costs.bigquery import BigQueryCosts
from lambdas.gcp.settings import GcpSettings


def cost_source(source: AnySource) -> CostSource:
    """Who reads a source; raises TerminalError for one that is not Google's, or whose target is not declared."""
    if not isinstance(source, BigQueryExport):
        raise TerminalError("WrongCollector", f"{source.name} is not a source on Google Cloud")
    target = declared_target("gcp", source.target)
    if not isinstance(target, GcpTarget):
        raise TerminalError("NoSuchTarget", f"Google Cloud has no target {source.target!r}")
    return BigQueryCosts(source, GcpSettings.from_environment(os.environ), target)


handler = collect_handler(cost_source)
