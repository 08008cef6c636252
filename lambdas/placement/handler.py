"""The Lambda handlers of placement: what the other providers' handlers are to their clouds."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from random import SystemRandom
from typing import Final

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import deployed_clusters
from lambdas.adapters.parameters import Parameters, ParameterSources
from lambdas.adapters.settings import RateCardSettings
from lambdas.adapters.steps import CloudSteps, deployed, step_handlers
from lambdas.adapters.sweeping import sweep_handler
from lambdas.core.ports.provider import Prices
from lambdas.core.steps.placing import PlacementPreflight, PlacingSteps, ReportedInventory
from lambdas.placement.prices import RateCardPrices

FRESH_SECONDS: Final = 1.0
"""For how long what was read of all clusters is good enough to choose among them: the claim itself decides."""


def _deployed_steps() -> CloudSteps:
    ledger, clock, policy = deployed()
    clusters, random = deployed_clusters(FRESH_SECONDS), SystemRandom()
    placing = PlacingSteps(ledger, clusters, clock, policy, random)
    return CloudSteps(
        placing.create,
        placing.observe,
        placing.delete,
        placing.observe_absence,
        ledger,
        clock,
        PlacementPreflight(clusters, clock, random),
        _rate_card_prices(),
    )


def _rate_card_prices() -> Callable[[], Prices] | None:
    """The prices of the declared rate cards, where costs are collected."""
    name = RateCardSettings.from_environment(os.environ).sources
    return (
        cache(lambda: RateCardPrices(ParameterSources(Parameters(clients.parameters()), name).declared))
        if name
        else None
    )


create, observe, delete, check = step_handlers(_deployed_steps)
sweep_vsphere = sweep_handler("vsphere", lambda: ReportedInventory("vsphere", deployed_clusters(), SystemClock()))
sweep_scvmm = sweep_handler("scvmm", lambda: ReportedInventory("scvmm", deployed_clusters(), SystemClock()))
