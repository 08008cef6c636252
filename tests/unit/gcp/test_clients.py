"""Compute Engine's clients: where they call, as whom, how often and for how long."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdas.core.errors import RetryableError, TerminalError
from lambdas.gcp.clients import GcpClients
from lambdas.gcp.settings import GcpSettings
from lambdas.gcp.zone import Zone
from local.simulators.faults import Fault, FaultKind
from local.simulators.gcp import write_service_account
from tests.unit.gcp.compute_engine import ZONE, ComputeEngine, compute_engine


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "key.json"
    write_service_account(path, "http://127.0.0.1:1/_token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    return path


@pytest.fixture
def cloud() -> Iterator[ComputeEngine]:
    with compute_engine() as cloud:
        yield cloud


def zone_at(url: str, **variables: str) -> Zone:
    environ = {"GOOGLE_CLOUD_PROJECT": "shop", "GOOGLE_COMPUTE_ENDPOINT": url, **variables}
    return Zone(GcpClients(GcpSettings.from_environment(environ)), "shop", ZONE)


def test_every_client_calls_the_endpoint_that_is_set_with_a_token(cloud: ComputeEngine) -> None:
    zone = zone_at(cloud.url)
    assert (zone.instance("web"), zone.disk("data"), zone.operation("operation-1")) == (None, None, None)
    assert [(call.operation, call.status) for call in cloud.simulator.log] == [
        ("instances.get", 404),
        ("disks.get", 404),
        ("zoneOperations.get", 404),
    ]


def test_nobody_but_the_endpoint_is_called(cloud: ComputeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = set()
    resolve = socket.getaddrinfo

    def recording(host: str, *arguments: Any, **options: Any) -> Any:
        hosts.add(host)
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", recording)
    zone_at(cloud.url).instance("web")
    for thread in threading.enumerate():
        if thread.__module__.startswith("google."):
            thread.join()
    assert hosts == {"127.0.0.1"}


def test_clients_are_made_once(cloud: ComputeEngine) -> None:
    clients = GcpClients(GcpSettings.from_environment({"GOOGLE_CLOUD_PROJECT": "shop"}))
    assert clients.instances is clients.instances
    assert clients.disks is clients.disks


@pytest.mark.parametrize("kind", [FaultKind.ERROR, FaultKind.THROTTLE, FaultKind.REFUSE])
def test_a_failed_call_is_not_made_again_by_the_sdk(cloud: ComputeEngine, kind: FaultKind) -> None:
    cloud.simulator.faults.arm([Fault(operation="*", fault=kind, times=None)])
    for read in (zone_at(cloud.url).instance, zone_at(cloud.url).instances):
        cloud.simulator.log.clear()
        with pytest.raises(RetryableError):
            read("x = y")
        assert len(cloud.simulator.log) == 1


def test_a_server_that_does_not_answer_is_given_up_after_the_read_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        zone = zone_at(f"http://127.0.0.1:{silent.getsockname()[1]}", GOOGLE_READ_TIMEOUT="0.1")
        with pytest.raises(RetryableError, match="ReadTimeout"):
            zone.instance("web")


def test_connecting_and_reading_have_timeouts_of_their_own() -> None:
    clients = GcpClients(GcpSettings.from_environment({"GOOGLE_CLOUD_PROJECT": "shop"}))
    seen = clients.patience(lambda **options: options)()
    assert seen == {"timeout": (3, 15)}


def test_an_endpoint_where_nobody_listens_is_retryable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(RetryableError, match="ConnectionError"):
        zone_at(url).instance("web")


def test_missing_credentials_are_the_operators_move(cloud: ComputeEngine, key_file: Path) -> None:
    os.unlink(key_file)
    with pytest.raises(TerminalError, match="DefaultCredentialsError"):
        zone_at(cloud.url).instance("web")
