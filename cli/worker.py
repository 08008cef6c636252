"""`skysaga worker`: the worker of a cluster inside its own network, which needs outbound HTTPS only."""

from __future__ import annotations

import importlib
import os
import signal
from types import FrameType

import click
from botocore.exceptions import BotoCoreError

from cli.failures import FAILED, UNREACHABLE, Failure
from lambdas.adapters import clients
from lambdas.adapters.queue import SqsQueue
from lambdas.adapters.settings import AgentSettings
from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import Misconfigured, RetryableError
from lambdas.worker.agent import Agent
from lambdas.worker.deployed import MakeProvider, declared_clusters, per_thread, workplace
from lambdas.worker.patience import BEAT_SECONDS


@click.command()
@click.option("--cluster", required=True, help="The cluster's name, as the deployment declares it.")
@click.option("--profile", help="The AWS profile to work as; whatever the environment says if left out.")
@click.option("--region", help="The AWS region of the deployment; the profile's own if left out.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Machines at a time; as declared if left out.")
def worker(cluster: str, profile: str | None, region: str | None, concurrency: int | None) -> None:
    """Work on a private cluster: take its tasks, and report on it every minute.

    SIGTERM or Ctrl-C drains it: what can be finished at once is, everything else is handed back for another to go on
    with.
    """
    if profile:
        os.environ["AWS_PROFILE"] = profile
    if region:
        os.environ["AWS_DEFAULT_REGION"] = region
    settings = _declared(cluster)
    agent = make_agent(settings, concurrency or settings.concurrency)

    def drain(_: int, __: FrameType | None) -> None:
        click.echo("draining: nothing new is taken", err=True)
        agent.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, drain)
    click.echo(f"working on {cluster} ({settings.provider}), {agent.concurrency} at a time", err=True)
    agent.run()
    click.echo("drained", err=True)


def make_agent(settings: ClusterSettings, concurrency: int) -> Agent:
    """The agent of a cluster, with a connection to its server for each thread."""
    make_provider: MakeProvider = importlib.import_module(f"lambdas.{settings.provider}.handler").make_provider
    clusters = {settings.name: settings}
    place = per_thread(lambda: workplace(clusters, make_provider, settings.ledger_table))
    hidden = AgentSettings.from_environment(os.environ).hidden_seconds
    return Agent(
        SqsQueue(clients.queue(), settings.queue_url, hidden),
        lambda: place().worker,
        lambda: place().reporting,
        concurrency,
        beat_seconds=min(BEAT_SECONDS, hidden / 4),
    )


def _declared(cluster: str) -> ClusterSettings:
    try:
        return declared_clusters([cluster])[cluster]
    except Misconfigured as error:
        raise Failure(
            f"{error}; is {cluster} the name of a cluster that is declared? (docs/clusters.md)", FAILED
        ) from error
    except RetryableError as error:
        raise Failure(f"the deployment cannot be reached: {error}", UNREACHABLE) from error
    except BotoCoreError as error:
        raise click.UsageError(f"{error}; give --region and --profile, or set up the AWS credentials") from error
