"""The Lambda handlers of placement: what the other providers' handlers are to their clouds."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import SystemRandom
from typing import Final

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import DynamoClusters
from lambdas.adapters.settings import LedgerSettings
from lambdas.adapters.steps import CloudSteps, Surroundings, deployed, step_handlers
from lambdas.adapters.sweeping import sweep_handler
from lambdas.core.ports.clusters import Clusters
from lambdas.core.steps.placing import PlacementPreflight, PlacingSteps, ReportedInventory

FRESH_SECONDS: Final = 1.0
"""For how long what was read of all clusters is good enough to choose among them: the claim itself decides."""


def deployed_clusters(seconds: float = FRESH_SECONDS) -> Clusters:
    """The clusters in the ledger's table that the function's environment names."""
    table = LedgerSettings.from_environment(os.environ).table
    return DynamoClusters(clients.dynamodb(), table, SystemClock(), seconds)


def placing_steps(
    make_clusters: Callable[[], Clusters] = deployed_clusters,
    make_surroundings: Callable[[], Surroundings] = deployed,
) -> Callable[[], CloudSteps]:
    """The steps over clusters and surroundings that are made when first needed."""

    def make() -> CloudSteps:
        ledger, clock, policy = make_surroundings()
        clusters, random = make_clusters(), SystemRandom()
        placing = PlacingSteps(ledger, clusters, clock, policy, random)
        return CloudSteps(
            placing.create,
            placing.observe,
            placing.delete,
            placing.observe_absence,
            ledger,
            PlacementPreflight(clusters, clock, random),
        )

    return make


create, observe, delete, check = step_handlers(placing_steps())
sweep_vsphere = sweep_handler("vsphere", lambda: ReportedInventory("vsphere", deployed_clusters(), SystemClock()))
sweep_scvmm = sweep_handler("scvmm", lambda: ReportedInventory("scvmm", deployed_clusters(), SystemClock()))
