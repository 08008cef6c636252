"""What a command needs of the machine it is on: each is looked at, with what to do where it is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from cli import __version__
from cli.checkout import find_checkout
from cli.endpoint import LOCAL_ENDPOINTS, TOKEN, api_client, local_address, signing

if TYPE_CHECKING:
    import requests

_OLDEST_PYTHON: Final = (3, 11)
_LIBRARIES: Final = ("botocore", "click", "requests", "rich")
_LOOK_SECONDS: Final = 5.0
_SKEW_NOTED: Final = 30.0
_SKEW_REFUSED: Final = 300.0
"""Seconds that a signature may be off ("Troubleshoot Signature Version 4 signed requests": five minutes)."""


class State(StrEnum):
    """How something is: as it must be, worth knowing, or missing."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


class Finding(NamedTuple):
    """One thing that was looked at, what was found, and what to do about it."""

    subject: str
    state: State
    says: str
    fix: str | None = None


def examine(endpoint: str | None, profile: str | None, region: str | None) -> Iterator[Finding]:
    """Everything that another command with the same options would need, and what deploying would."""
    yield _python()
    yield _versions()
    yield from _deployment(endpoint, profile, region)
    yield _local_mode()
    yield from _checkout()
    yield from _extras()


def _python() -> Finding:
    here = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _OLDEST_PYTHON:
        return Finding(
            "python", State.MISSING, f"{here} is too old", "install Python 3.11 or newer, and skysaga with it"
        )
    return Finding("python", State.OK, here)


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    try:
        installed = f"skysaga {version('skysaga')}"
    except PackageNotFoundError:
        installed = f"skysaga {__version__}, out of a checkout"
    return Finding("versions", State.OK, f"{installed}; {libraries}")


def _deployment(endpoint: str | None, profile: str | None, region: str | None) -> Iterator[Finding]:
    """Where it is, whether it answers, what it says the time is, and whether it lets its caller in."""
    address = endpoint
    if address is None:
        try:
            address = local_address()
        except click.ClickException:
            fix = "give --endpoint or set SKYSAGA_ENDPOINT (the stack's output ApiUrl), or start `skysaga up`"
            yield Finding("endpoint", State.MISSING, "none is given, and nothing runs in this folder", fix)
            return
        yield Finding("endpoint", State.OK, f"{address}, of the local mode that runs here")
    else:
        yield Finding("endpoint", State.OK, address)
    signed = endpoint is None or (yield from _caller(profile, region))
    answers = yield from _answering(address)
    if signed and answers:
        yield _authorized(endpoint, profile, region)


def _caller(profile: str | None, region: str | None) -> Generator[Finding, None, bool]:
    """Who signs; returns whether anybody does."""
    if os.environ.get(TOKEN):
        yield Finding("credentials", State.OK, f"the token in {TOKEN}")
        return True
    try:
        credentials, where = signing(profile, region)
    except click.ClickException as error:
        fix = "name a profile that is there (`aws configure list-profiles`), or sign in again (`aws sso login`)"
        yield Finding("credentials", State.MISSING, error.message, fix)
        return False
    if credentials is None:
        fix = f"give --profile, set AWS_PROFILE, or run `aws configure`; or set {TOKEN} where tokens are let in"
        yield Finding("credentials", State.MISSING, "there are no AWS credentials", fix)
    else:
        yield Finding("credentials", State.OK, f"AWS credentials, found by {credentials.method}")
    if where is None:
        fix = "give --region, or set AWS_DEFAULT_REGION: where the deployment is"
        yield Finding("region", State.MISSING, "none is given, and the profile has none", fix)
    else:
        yield Finding("region", State.OK, where)
    return credentials is not None and where is not None


def _answering(address: str) -> Generator[Finding, None, bool]:
    """Whether anybody is there, and what time it is for them; returns whether there is."""
    import requests  # noqa: PLC0415 - only this command wants it before it knows that it may call

    try:
        answer = requests.get(f"{address.rstrip('/')}/healthz", timeout=_LOOK_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        fix = "check the address (the stack's output ApiUrl), the network and any proxy (HTTPS_PROXY)"
        yield Finding("reachable", State.MISSING, f"{address} does not answer ({type(error).__name__})", fix)
        return False
    if not answer.ok:
        fix = "is that the output ApiUrl of skysaga's stack? Give it as it is, without a path after it"
        yield Finding("reachable", State.MISSING, f"{address}/healthz answers {answer.status_code}", fix)
        return False
    yield Finding("reachable", State.OK, f"answers in {answer.elapsed.total_seconds() * 1000:.0f} ms")
    yield from _clock(answer)
    return True


def _clock(answer: requests.Response) -> Iterator[Finding]:
    if "Date" not in answer.headers:
        return
    skew = (datetime.now(UTC) - parsedate_to_datetime(answer.headers["Date"])).total_seconds()
    off = f"this clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    fix = "set the clock (`timedatectl set-ntp true`): signatures that are five minutes off are refused"
    if abs(skew) >= _SKEW_REFUSED:
        yield Finding("clock", State.MISSING, off, fix)
    elif abs(skew) >= _SKEW_NOTED:
        yield Finding("clock", State.NOTE, off, fix)
    else:
        yield Finding("clock", State.OK, "agrees with the deployment's")


def _authorized(endpoint: str | None, profile: str | None, region: str | None) -> Finding:
    from cli.problems import ApiProblem, Unreachable, Unsigned  # noqa: PLC0415 - beside what loads them

    try:
        api_client(endpoint, profile, region, _LOOK_SECONDS).sagas(limit=1)
    except ApiProblem as problem:
        said = str(problem).replace("\n", "; ")
        if problem.status in (401, 403):
            fix = "have an operator allow you to call the API (execute-api:Invoke), or use another --profile or token"
            return Finding("authorized", State.MISSING, f"the API does not let you in: {said}", fix)
        return Finding("authorized", State.MISSING, said, "tell the deployment's operator (docs/operations.md)")
    except (Unreachable, Unsigned, click.ClickException) as error:
        return Finding("authorized", State.MISSING, str(error), "repeat this in a moment; sign in again if it stays")
    return Finding("authorized", State.OK, "the API lets you in")


def _local_mode() -> Finding:
    try:
        address = local_address()
    except click.ClickException:
        fix = "`skysaga up` starts it, inside a checkout"
        return Finding("local mode", State.NOTE, f"does not run here (no {LOCAL_ENDPOINTS})", fix)
    return Finding("local mode", State.OK, f"runs: {address}")


def _checkout() -> Iterator[Finding]:
    """What running it locally and deploying it take; neither is needed to talk to a deployment."""
    folder = find_checkout(Path.cwd())
    if folder is None:
        fix = "only `skysaga up` and deploying need one: clone the repository, and change into it"
        yield Finding("checkout", State.NOTE, "this folder is in none", fix)
        return
    yield Finding("checkout", State.OK, str(folder))
    if shutil.which("make") is None:
        yield Finding("make", State.NOTE, "is not installed", "install it: `skysaga up` and `make deploy` need it")
    else:
        yield Finding("make", State.OK, "is installed")
    if (folder / ".venv" / ".ready").exists():
        yield Finding("node", State.OK, "comes with the checkout's environment, for `make deploy`")
    else:
        fix = "`make synth` builds it once, in a minute"
        yield Finding("node", State.NOTE, "the checkout's environment, which brings it, is not built yet", fix)


def _extras() -> Iterator[Finding]:
    for subject, module, purpose, extra in (
        ("parquet", "duckdb", "`skysaga costs --export FILE.parquet`", "parquet"),
        ("worker", "pyVmomi", "`skysaga worker`", "worker"),
    ):
        if importlib.util.find_spec(module) is None:
            fix = f"only {purpose} needs them: pip install 'skysaga[{extra}]'"
            yield Finding(subject, State.NOTE, "its libraries are not installed", fix)
        else:
            yield Finding(subject, State.OK, "its libraries are installed")
