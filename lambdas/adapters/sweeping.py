"""The handler that looks at everything of ours in one target of a cloud: the same for every provider."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lambdas.adapters import clients
from lambdas.adapters.observability import StepHandler, observed
from lambdas.adapters.parameters import Parameters, ParameterTargets
from lambdas.adapters.settings import TargetSettings
from lambdas.adapters.steps import Surroundings, deployed
from lambdas.core.errors import TerminalError
from lambdas.core.ports.provider import Inventory
from lambdas.core.steps.sweep import MOST_LISTED, CloudSweep
from lambdas.core.targets import Target, Targets


class LookPayload(BaseModel):
    """Which target to look at, and how much of what is found there to list."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    target: str
    most: int = Field(default=MOST_LISTED, ge=1)


def deployed_targets() -> Targets:
    """The targets that the deployment declares now, for the clouds that the function's environment names."""
    names = TargetSettings.from_environment(os.environ).target_parameters
    return ParameterTargets(Parameters(clients.parameters()), names).declared()


def sweep_handler(
    cloud: str,
    make_provider: Callable[[], Inventory],
    make_surroundings: Callable[[], Surroundings] = deployed,
    targets: Callable[[], Targets] = deployed_targets,
) -> StepHandler:
    """The handler over a provider that is made at the first call; it changes nothing."""

    @cache
    def sweep() -> CloudSweep:
        ledger, clock, policy = make_surroundings()
        return CloudSweep(cloud, ledger, make_provider(), clock, policy)

    @observed("sweep")
    def handle(event: dict[str, Any], _: object) -> Mapping[str, Any]:
        payload = LookPayload.model_validate(event)
        return sweep().look(_named(targets()[cloud], payload.target), payload.most)

    return handle


def _named(targets: Mapping[str, Target], name: str) -> Target:
    if name not in targets:
        raise TerminalError("NoSuchTarget", f"the target {name!r} is not declared any more")
    return targets[name]
