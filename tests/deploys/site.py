"""One machine in a process of its own, what the command line deployed there, and what runs on it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import requests
from botocore.credentials import Credentials

from cli.client import ApiClient
from infra.packaging.bundles import ROOT
from local.demo.story import CLOUDS, REQUEST
from local.machine import CREDENTIALS, REGION
from tests.deploys.command_line import ACCOUNT, CommandLine
from tests.deploys.reading import Account

MACHINES = ("skysaga-release", "skysaga-provisioning", "skysaga-sweep", "skysaga-billing")
PATIENCE_SECONDS = 400

T = TypeVar("T")


class Site:
    """A machine with its account; `api` answers once `run` was told what has been deployed."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self.folder = folder
        self._urls: dict[str, str] = self._answer()
        self.account = Account(self._urls["aws"])
        self.command_line = CommandLine(self._urls["aws"], folder / "cdk")

    @property
    def endpoint(self) -> str:
        """Where AWS is."""
        return self._urls["aws"]

    def run(self) -> None:
        """Run what is deployed."""
        assert self._process.stdin is not None
        self._process.stdin.write(self.output("SkysagaApi", "ApiUrl") + "\n")
        self._process.stdin.flush()
        self._urls = self._answer()
        ((access_key, secret_key),) = CREDENTIALS.items()
        self.api = ApiClient(self._urls["api"], Credentials(access_key, secret_key), REGION)

    def output(self, stack: str, key: str) -> str:
        """An output of a stack."""
        (found,) = self.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(next(it["OutputValue"] for it in found["Outputs"] if it["OutputKey"] == key))

    def stack(self, stack: str) -> tuple[str, str]:
        """The status of a stack, and its reason."""
        (found,) = self.account.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return found["StackStatus"], found.get("StackStatusReason", "")

    @contextmanager
    def held(self) -> Iterator[None]:
        """No time passes for a gradual deployment as long as this lasts."""
        hold = self.folder / "hold"
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    def routing(self, machine: str) -> dict[int, int]:
        """The weight of each version that the alias of a state machine routes to."""
        alias = self.account.client("stepfunctions").describe_state_machine_alias(
            stateMachineAliasArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}:live"
        )
        routes = alias["routingConfiguration"]
        return {int(it["stateMachineVersionArn"].rsplit(":", 1)[1]): it["weight"] for it in routes}

    def until_on_the_way(self, deployment: subprocess.Popen[str]) -> dict[int, int]:
        """The weights of the first alias that routes to two versions, while `deployment` is under way."""

        def look() -> dict[int, int] | None:
            return next((routes for machine in MACHINES if len(routes := self.routing(machine)) > 1), None)

        return until(look, deployment)

    def submit(self, request: bytes = REQUEST.read_bytes()) -> str:
        """Submit a request, the three-cloud example by default; the saga's id."""
        saga_id: str = self.api.submit(request, "application/yaml", str(uuid4()))["id"]
        return saga_id

    def ended(self, saga_id: str) -> dict[str, Any]:
        """The saga when it has ended."""
        for _ in self.api.follow(saga_id):
            pass
        saga: Any = self.api.get(saga_id)
        return dict(saga)

    def destroy(self, *sagas: str) -> None:
        """Remove what sagas hold."""
        versions = {saga_id: self.api.get(saga_id)["version"] for saga_id in sagas}
        for saga_id in sagas:
            self.api.destroy(saga_id)
        for saga_id, version in versions.items():
            for _ in self.api.follow(saga_id, version):
                pass

    def resources(self) -> list[dict[str, Any]]:
        """What exists in the three clouds, by their own account."""
        urls = [self._urls[cloud] for cloud in CLOUDS]
        return [it for url in urls for it in requests.get(f"{url}/_simulator/resources", timeout=10).json()]

    def arm(self, cloud: str, **fault: Any) -> None:
        """Make a cloud misbehave."""
        requests.post(f"{self._urls[cloud]}/_simulator/faults", json=[fault], timeout=10).raise_for_status()

    def disarm(self, cloud: str) -> None:
        """Have it behave again."""
        requests.delete(f"{self._urls[cloud]}/_simulator/faults", timeout=10).raise_for_status()

    def ran_on(self, saga_id: str) -> tuple[int, set[tuple[str, int]]]:
        """The version of the state machine that provisions a saga, and the functions it has called, with theirs.

        Those that its batches call are told by the function that lists these, as that version of it was configured.
        """
        stepfunctions = self.account.client("stepfunctions")
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:skysaga-provisioning:{saga_id}"
        version = stepfunctions.describe_execution(executionArn=arn)["stateMachineVersionArn"]
        pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        scheduled = [it["taskScheduledEventDetails"] for it in events if "Scheduled" in it["type"]]
        called = [json.loads(it["parameters"])["FunctionName"] for it in scheduled if it["resourceType"] == "lambda"]
        listing = next(it for it in called if it.split(":")[6] == "skysaga-saga")
        configured = self.account.client("lambda").get_function_configuration(FunctionName=listing)
        functions = json.loads(configured["Environment"]["Variables"]["PROVIDER_FUNCTIONS"])
        clouds = {it["provider"] for it in self.api.get(saga_id)["resources"]}
        called += [functions[cloud][verb] for cloud in clouds for verb in ("create", "observe")]
        return int(version.rsplit(":", 1)[1]), {(it.split(":")[6], int(it.split(":")[7])) for it in called}

    def layers(self) -> dict[str, list[str]]:
        """The layers of every function."""
        listed = self.account.client("lambda").list_functions()["Functions"]
        return {it["FunctionName"]: [layer["Arn"] for layer in it["Layers"]] for it in listed}

    def log(self, function: str) -> list[dict[str, Any]]:
        """What a function has logged, its lines of JSON."""
        lines = (self.folder / "logs" / f"{function}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _answer(self) -> dict[str, str]:
        assert self._process.stdout is not None
        answer: dict[str, str] = json.loads(self._process.stdout.readline())
        return answer


def until(look: Callable[[], T | None], deployment: subprocess.Popen[str]) -> T:
    """What `look` finds, as soon as it finds something, while a deployment is under way."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        assert deployment.poll() is None, deployment.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    """A machine with nothing deployed, as long as the context lasts."""
    command = [sys.executable, "-m", "tests.deploys.machine", str(folder)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 - our own module
    try:
        yield Site(process, folder)
    finally:
        process.communicate(timeout=60)
