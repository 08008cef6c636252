"""Which deployment a command talks to, as whom, and what it says when that does not work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import boto3
import click
import requests
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

from cli.client import ApiClient, ApiProblem
from cli.failures import FAILED, UNREACHABLE, Failure

LOCAL_ENDPOINTS: Final = Path(".local/endpoints.json")
_LOCAL_REGION: Final = "us-east-1"

F = TypeVar("F", bound=Callable[..., Any])


def endpoint_options(command: F) -> F:
    """The options of every command that calls the API."""
    for option in (
        click.option("--region", help="The AWS region of the deployment; the profile's own if left out."),
        click.option("--profile", help="The AWS profile to sign with; whatever the environment says if left out."),
        click.option(
            "--endpoint",
            envvar="SKYSAGA_ENDPOINT",
            help="The API's address (the stack's output ApiUrl); that of `make up` in this folder if left out.",
        ),
    ):
        command = option(command)
    return command


class Deployment(NamedTuple):
    """Where an API answers, and whose signature it gets; credentials that expire renew themselves when asked."""

    address: str
    credentials: Credentials
    region: str


def api_client(endpoint: str | None, profile: str | None, region: str | None) -> ApiClient:
    """A client for the deployment at an address, or for the one machine that runs in this folder."""
    there = deployment(endpoint, profile, region)
    return ApiClient(there.address, there.credentials.get_frozen_credentials(), there.region)


def deployment(endpoint: str | None, profile: str | None, region: str | None) -> Deployment:
    """The deployment at an address, or the one machine that runs in this folder."""
    if endpoint is None:
        return Deployment(_local_address(), Credentials("local", "local"), _LOCAL_REGION)
    session = boto3.Session(profile_name=profile, region_name=region)
    credentials = session.get_credentials()
    if credentials is None:
        raise click.UsageError("there are no AWS credentials to sign with; give --profile, or set them up")
    if not session.region_name:
        raise click.UsageError("which region is the deployment in? give --region")
    return Deployment(endpoint.rstrip("/"), credentials, session.region_name)


@contextmanager
def told_plainly() -> Iterator[None]:
    """What the API refuses ends a command with its words; what does not answer at all, with another exit code."""
    try:
        yield
    except ApiProblem as problem:
        raise Failure(str(problem), FAILED) from problem
    except requests.RequestException as error:
        raise Failure(
            f"the API does not answer ({type(error).__name__}); is it where you think?", UNREACHABLE
        ) from error
    except BotoCoreError as error:
        raise click.UsageError(str(error)) from error


def _local_address() -> str:
    try:
        address: str = json.loads(LOCAL_ENDPOINTS.read_text())["api"]
    except (FileNotFoundError, KeyError, ValueError):
        raise Failure(
            f"nothing runs in {os.path.basename(os.getcwd())}: start it with `make up`, or give --endpoint", UNREACHABLE
        ) from None
    return address
