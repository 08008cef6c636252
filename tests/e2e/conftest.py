"""Machines with everything deployed, as `make up` runs it, one for each part of the end-to-end tests."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests
from botocore.credentials import Credentials

from cli.client import ApiClient
from lambdas.adapters.spans import ENDPOINT
from local.assembly import synthesize
from local.demo.story import CLOUDS, REQUEST
from local.lambda_runtime.environment import TRACE_DAEMON
from local.machine import CREDENTIALS, GUEST, REGION, Endpoints, Machine, Ports
from tests.conftest import part_of
from tests.fakes.otlp import Receiver, otlp_receiver


@dataclass(frozen=True)
class Deployment:
    """A running machine, its API as its two callers have it, and the folder of what its functions log."""

    machine: Machine
    logs: Path
    endpoints: Endpoints
    api: ApiClient
    guest: ApiClient
    traces: Traces
    receiver: Receiver

    def client(self, service: str) -> Any:
        """A client of one of the account's services."""
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        make: Any = boto3.client
        return make(service, region_name=REGION, endpoint_url=self.endpoints.aws, **keys)

    def submit(self, key: str | None = None) -> str:
        """Submit the three-cloud example; the saga's id."""
        saga_id: str = self.api.submit(REQUEST.read_bytes(), "application/yaml", key or str(uuid4()))["id"]
        return saga_id

    def wait(self, saga_id: str) -> dict[str, Any]:
        """The saga once it has ended."""
        for _ in self.api.follow(saga_id):
            pass
        saga: Any = self.api.get(saga_id)
        return dict(saga)

    def destroy(self, saga_id: str) -> None:
        """Destroy a saga and wait until it is gone."""
        version = self.api.get(saga_id)["version"]
        self.api.destroy(saga_id)
        for _ in self.api.follow(saga_id, version):
            pass

    def held(self) -> list[dict[str, Any]]:
        """Everything that exists in any cloud."""
        urls = [self.endpoints._asdict()[cloud] for cloud in CLOUDS]
        return [it for url in urls for it in requests.get(f"{url}/_simulator/resources", timeout=10).json()]


class Traces:
    """Where functions send X-Ray's segments, as long as the context lasts."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self._taken: list[bytes] = []
        self._open = True
        self._thread = Thread(target=self._take, daemon=True)

    def __enter__(self) -> Traces:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> str:
        """The daemon's address, as the SDK is told it."""
        return "{}:{}".format(*self._socket.getsockname())

    def text(self) -> str:
        """Everything that was sent until now."""
        return b"\n".join(list(self._taken)).decode()

    def _take(self) -> None:
        while self._open:
            with suppress(TimeoutError):
                self._taken.append(self._socket.recv(65_535))


TALKATIVE = {"AWS_LAMBDA_LOG_LEVEL": "DEBUG", "LOG_LEVEL": "DEBUG", "POWERTOOLS_LOGGER_LOG_EVENT": "true"}
"""What an operator in distress may set: with it, too, nothing may be told that must not."""


def _client(endpoints: Endpoints, keys: dict[str, str]) -> ApiClient:
    ((access_key, secret_key),) = keys.items()
    return ApiClient(endpoints.api, Credentials(access_key, secret_key), REGION)


SDK_CREDENTIALS: dict[str, Any] = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}


@pytest.fixture(name="stepfunctions")
def _stepfunctions(deployment: Deployment) -> Any:
    url = deployment.endpoints.stepfunctions
    return boto3.client("stepfunctions", region_name=REGION, endpoint_url=url, **SDK_CREDENTIALS)


def state_machine(stepfunctions: Any, name: str) -> str:
    """A deployed state machine's ARN."""
    machines = stepfunctions.list_state_machines()["stateMachines"]
    return str(next(it["stateMachineArn"] for it in machines if it["name"] == name))


class Machines:
    """A machine at a time: with every function that was ever called on one, it has more processes and descriptors."""

    def __init__(self, make: Callable[[], AbstractContextManager[Deployment]]) -> None:
        self._make = make
        self._running = ExitStack()
        self._now: tuple[int, Deployment] | None = None

    def of(self, part: int) -> Deployment:
        """The machine of a part of the tests; that of another one ends before it begins."""
        if self._now is None or self._now[0] != part:
            self.close()
            self._now = (part, self._running.enter_context(self._make()))
        return self._now[1]

    def close(self) -> None:
        """End what runs."""
        self._now = None
        self._running.close()


@pytest.fixture(scope="package")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Machines that log apart from each other; the last one ends with the last of the tests here."""
    machines = Machines(lambda: _deployed(tmp_path_factory.mktemp("machine")))
    yield machines
    machines.close()


@pytest.fixture(scope="module")
def deployment(request: pytest.FixtureRequest, machines: Machines) -> Deployment:
    return machines.of(part_of("e2e", request.path.stem))


@contextmanager
def _deployed(state: Path) -> Iterator[Deployment]:
    with Traces() as traces, otlp_receiver() as receiver:
        machine = Machine(Ports(), state=state)
        machine.environment.update({**TALKATIVE, TRACE_DAEMON: traces.address, ENDPOINT: receiver.url})
        try:
            endpoints = machine.deploy(synthesize())
            local, guest = (_client(endpoints, keys) for keys in (CREDENTIALS, GUEST))
            yield Deployment(machine, state / "logs", endpoints, local, guest, traces, receiver)
        finally:
            machine.close()
