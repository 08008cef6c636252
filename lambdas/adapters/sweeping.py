"""The handler that looks at everything of ours in one cloud: the same for every provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lambdas.adapters.observability import StepHandler, observed
from lambdas.adapters.steps import Surroundings, deployed
from lambdas.core.ports.provider import Provider
from lambdas.core.steps.sweep import CloudSweep


def sweep_handler(
    cloud: str, make_provider: Callable[[], Provider], make_surroundings: Callable[[], Surroundings] = deployed
) -> StepHandler:
    """The handler over a provider that is made at the first call; it takes no payload and changes nothing."""

    @cache
    def sweep() -> CloudSweep:
        ledger, clock, policy = make_surroundings()
        return CloudSweep(cloud, ledger, make_provider(), clock, policy)

    @observed("sweep")
    def handle(_event: dict[str, Any], _: object) -> Mapping[str, Any]:
        return sweep().look()

    return handle
