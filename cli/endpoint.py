"""Which deployment a command talks to, and as whom."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import click

from cli.failures import BAD_INPUT, UNREACHABLE, Failure, told_plainly

if TYPE_CHECKING:
    from botocore.credentials import Credentials

    from cli.client import ApiClient

__all__ = [
    "Deployment",
    "api_client",
    "client_option",
    "deployment",
    "endpoint_options",
    "local_address",
    "signing",
    "told_plainly",
]

LOCAL_ENDPOINTS: Final = Path(".local/endpoints.json")
TOKEN: Final = "SKYSAGA_TOKEN"  # noqa: S105  # nosec B105 - the name of a variable
"""Never an option: other users of a machine see each other's command lines."""

ANSWER_SECONDS: Final = 35.0
"""Longer than API Gateway's own 30."""

_LOCAL_REGION: Final = "us-east-1"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts that are this machine."""

F = TypeVar("F", bound=Callable[..., Any])


def endpoint_options(command: F) -> F:
    """The options of every command that calls the API."""
    for option in (
        click.option("--region", help="The AWS region of the deployment; the profile's own if left out."),
        click.option("--profile", help="The AWS profile to sign with; whatever the environment says if left out."),
        click.option(
            "--endpoint",
            envvar="SKYSAGA_ENDPOINT",
            help="The API's address (the stack's output ApiUrl, or TokenApiUrl for whoever has a token); that of"
            " `make up` in this folder if left out.",
        ),
    ):
        command = option(command)
    return command


def client_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Those options, for a command that takes a `client`."""

    @endpoint_options
    @functools.wraps(command)
    def called(*arguments: Any, endpoint: str | None, profile: str | None, region: str | None, **options: Any) -> Any:
        return command(*arguments, client=api_client(endpoint, profile, region), **options)

    return called


class Deployment(NamedTuple):
    """Where an API answers, and whose signature it gets; credentials that expire renew themselves when asked."""

    address: str
    credentials: Credentials
    region: str


def api_client(
    endpoint: str | None, profile: str | None, region: str | None, seconds: float = ANSWER_SECONDS
) -> ApiClient:
    """A client for the deployment at an address, or for the one machine that runs in this folder.

    Whoever has a token in the environment shows that, everybody else signs. It waits for an answer for `seconds`.
    """
    from cli.client import ApiClient  # noqa: PLC0415 - what it loads takes longer than all the rest
    from cli.transport import Bearer, Signature  # noqa: PLC0415 - as above

    token = os.environ.get(TOKEN)
    if endpoint and token:
        _check_confidential(endpoint)
        return ApiClient.authorized(endpoint, Bearer(token), seconds)
    there = deployment(endpoint, profile, region)
    return ApiClient.authorized(there.address, Signature(there.credentials, there.region), seconds)


def deployment(endpoint: str | None, profile: str | None, region: str | None) -> Deployment:
    """The deployment at an address, or the one machine that runs in this folder, for whoever signs."""
    from botocore.credentials import Credentials  # noqa: PLC0415 - as above

    if endpoint is None:
        return Deployment(local_address(), Credentials("local", "local"), _LOCAL_REGION)
    credentials, where = signing(profile, region)
    if credentials is None:
        message = (
            f"there are no AWS credentials to sign with; give --profile, or set them up; or set {TOKEN} to a token"
        )
        raise click.UsageError(message)
    if not where:
        raise click.UsageError("which region is the deployment in? give --region")
    return Deployment(endpoint.rstrip("/"), credentials, where)


def signing(profile: str | None, region: str | None) -> tuple[Credentials | None, str | None]:
    """The AWS credentials and the region to sign with, as far as there are any."""
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - as above
    from botocore.session import Session  # noqa: PLC0415 - as above

    session = Session(profile=profile)
    try:
        where = region or session.get_config_variable("region") or os.environ.get("AWS_REGION")
        return session.get_credentials(), where
    except BotoCoreError as error:
        raise Failure(f"{error}. `skysaga doctor` looks into it.", BAD_INPUT) from error


def local_address() -> str:
    """The API of the one machine that runs in this folder, or in one above it; ends the command where none does."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        try:
            address: str = json.loads((folder / LOCAL_ENDPOINTS).read_text())["api"]
        except (OSError, KeyError, TypeError, ValueError):
            continue
        return address
    raise Failure(f"nothing runs in {here.name}: start it with `make up`, or give --endpoint", UNREACHABLE)


def _check_confidential(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise click.UsageError(f"a token is not sent over {parts.scheme or 'nothing'}://; give an https:// --endpoint")
