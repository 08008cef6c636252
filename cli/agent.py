"""The agent of a cluster, put together from what its deployment declares."""

from __future__ import annotations

import importlib
import os

from lambdas.adapters import clients
from lambdas.adapters.queue import SqsQueue
from lambdas.adapters.settings import AgentSettings
from lambdas.core.clusters import ClusterSettings
from lambdas.worker.agent import Agent
from lambdas.worker.deployed import MakeProvider, declared_clusters, per_thread, workplace
from lambdas.worker.patience import BEAT_SECONDS


def make_agent(cluster: str, concurrency: int | None) -> Agent:
    """The agent of a declared cluster, with a connection to its server for each thread.

    Takes as many tasks at a time as is declared, unless told otherwise. Raises Misconfigured, RetryableError, or
    BotoCoreError for want of an AWS region or credentials.
    """
    settings = declared_clusters([cluster])[cluster]
    place = per_thread(lambda: workplace({cluster: settings}, _provider_of(settings), settings.ledger_table))
    hidden = AgentSettings.from_environment(os.environ).hidden_seconds
    return Agent(
        SqsQueue(clients.queue(), settings.queue_url, hidden),
        lambda: place().worker,
        lambda: place().reporting,
        concurrency or settings.concurrency,
        beat_seconds=min(BEAT_SECONDS, hidden / 4),
    )


def _provider_of(settings: ClusterSettings) -> MakeProvider:
    make: MakeProvider = importlib.import_module(f"lambdas.{settings.provider}.handler").make_provider
    return make
