"""A request without its consequences: in which order it would be created, what would be refused, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lambdas.core.graph import waves
from lambdas.core.plan import NO_TARGETS
from lambdas.core.ports.checks import Checks
from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from lambdas.core.request import SagaRequest, dependencies
from lambdas.core.targets import Target


class Plan(NamedTuple):
    """What would become of a request now.

    `order` are resource ids in waves; `shortages` and `prices` stand by their cloud. `unchecked` says of each cloud
    that could not be asked why, `unpriced` of each that could not tell its prices.
    """

    name: str
    order: tuple[tuple[str, ...], ...]
    shortages: tuple[tuple[str, Shortage], ...]
    unchecked: tuple[tuple[str, str], ...]
    prices: tuple[tuple[str, Price], ...] = ()
    unpriced: tuple[tuple[str, str], ...] = ()


def dry_run(request: SagaRequest, checks: Checks, targets: Mapping[str, Target] = NO_TARGETS) -> Plan:
    """The plan of a request; creates nothing and writes nothing. `targets` are by resource id."""
    clouds = list(dict.fromkeys(definition.provider for definition in request.resources))
    answers = checks.ask(clouds, request.resources, targets)
    return Plan(
        request.name,
        waves({definition.id: dependencies(definition) for definition in request.resources}),
        tuple((cloud, shortage) for cloud in clouds for shortage in answers[cloud].shortages),
        tuple((cloud, failure) for cloud in clouds if (failure := answers[cloud].failure) is not None),
        tuple((cloud, price) for cloud in clouds for price in answers[cloud].prices),
        tuple((cloud, reason) for cloud in clouds if (reason := answers[cloud].unpriced) is not None),
    )
