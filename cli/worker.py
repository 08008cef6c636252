"""`skysaga worker`: the worker of a cluster inside its own network, which needs outbound HTTPS only."""

from __future__ import annotations

import importlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from cli.failures import BAD_INPUT, FAILED, UNREACHABLE, Failure

if TYPE_CHECKING:
    from lambdas.worker.agent import Agent

_LOGGING: Final = {"POWERTOOLS_SERVICE_NAME": "skysaga", "POWERTOOLS_METRICS_DISABLED": "true"}
"""Metrics are written for CloudWatch to find in a function's log; an agent's log it does not read."""


@click.command(short_help="Work on a private cluster from inside.")
@click.option("--cluster", required=True, help="The cluster's name, as the deployment declares it.")
@click.option("--profile", help="The AWS profile to work as; whatever the environment says if left out.")
@click.option("--region", help="The AWS region of the deployment; the profile's own if left out.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Machines at a time; as declared if left out.")
def worker(cluster: str, profile: str | None, region: str | None, concurrency: int | None) -> None:
    """Work on a private cluster: take its tasks, and report on it every minute.

    SIGTERM or Ctrl-C drains it: what can be finished at once is, everything else is handed back for another to go on
    with.
    """
    chosen = {"AWS_PROFILE": profile, "AWS_DEFAULT_REGION": region}
    os.environ.update({**_LOGGING, **{name: value for name, value in chosen.items() if value}})
    agent = _agent(cluster, concurrency)

    def drain(_: int, __: FrameType | None) -> None:
        click.echo("draining: nothing new is taken", err=True)
        agent.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, drain)
    click.echo(f"working on {cluster}, {agent.concurrency} machines at a time", err=True)
    agent.run()
    click.echo("drained", err=True)


def _agent(cluster: str, concurrency: int | None) -> Agent:
    try:
        # Only now: what it loads looks into the environment when it is loaded.
        module = importlib.import_module("cli.agent")
    except ImportError as error:
        message = f"the agent's libraries are not installed ({error.name}): pip install 'skysaga[worker]'"
        raise Failure(message, BAD_INPUT) from error
    with _told(cluster):
        agent: Agent = module.make_agent(cluster, concurrency)
    return agent


@contextmanager
def _told(cluster: str) -> Iterator[None]:
    """What keeps an agent from beginning, in words."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    from lambdas.core.errors import Misconfigured, RetryableError  # noqa: PLC0415 - as above

    try:
        yield
    except Misconfigured as error:
        message = f"{error}; is {cluster} the name of a cluster that is declared? (docs/clusters.md)"
        raise Failure(message, FAILED) from error
    except RetryableError as error:
        raise Failure(f"the deployment cannot be reached: {error}", UNREACHABLE) from error
    except ValidationError as error:
        wrong = ", ".join(f"{it['loc'][0]}: {it['msg']}" for it in error.errors())
        raise click.UsageError(f"the environment cannot be used: {wrong}") from error
    except BotoCoreError as error:
        raise click.UsageError(f"{error} Give --region and --profile, or set up the AWS credentials.") from error
