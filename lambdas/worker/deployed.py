"""A worker as its deployment declares it: the clusters, what they are signed in to with, and where sagas are kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import DynamoClusters
from lambdas.adapters.executions import StepFunctionsTasks
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.parameters import ParameterClusters, Parameters
from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.discretion import DiscreetProvider
from lambdas.core.noting import NotingProvider
from lambdas.core.policy import Policy
from lambdas.core.ports.clusters import Clusters
from lambdas.core.ports.provider import PrivateProvider
from lambdas.core.steps.working import WorkSteps
from lambdas.worker.reporting import Reporting
from lambdas.worker.worker import Worker

T = TypeVar("T")

MakeProvider = Callable[[Mapping[str, ClusterSettings], Secrets], PrivateProvider]
"""A private provider of some clusters, by name, that takes its passwords from secrets."""


class Workplace(NamedTuple):
    """Who does the tasks of some clusters, and who reports on them."""

    worker: Worker
    reporting: Reporting


def declared_clusters(names: Sequence[str]) -> dict[str, ClusterSettings]:
    """What the deployment declares of some clusters; raises Misconfigured or RetryableError."""
    return ParameterClusters(Parameters(clients.parameters())).declared(names)


def per_thread(make: Callable[[], T]) -> Callable[[], T]:
    """Return what gives each thread one of its own, made when it is first asked for."""
    own = threading.local()

    def get() -> T:
        if not hasattr(own, "value"):
            own.value = make()
        value: T = own.value
        return value

    return get


def workplace(clusters: Mapping[str, ClusterSettings], make_provider: MakeProvider, table: str) -> Workplace:
    """The workplace of some clusters whose sagas are in a ledger's table."""
    clock = SystemClock()
    dynamodb = clients.dynamodb()
    provider = make_provider(clusters, Secrets(clients.secrets()))
    ledger = DynamoLedger(dynamodb, table, clock)
    noting = NotingProvider(DiscreetProvider(provider), ledger)
    steps = WorkSteps(ledger, noting, clock, Policy.from_environment(os.environ), set(clusters))
    known: Clusters = DynamoClusters(dynamodb, table, clock)
    worker = Worker(steps, StepFunctionsTasks(clients.stepfunctions()))
    return Workplace(worker, Reporting(clusters, provider, known))
