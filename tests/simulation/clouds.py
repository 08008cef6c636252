"""Three simulated clouds in this process, emptied and not rebuilt between runs, and the real SDKs wired to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from unittest import mock

from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random

from lambdas.aws.provider import AwsProvider
from lambdas.azure.provider import AzureProvider
from lambdas.core.ports.provider import Provider
from lambdas.gcp.provider import GcpProvider
from local.aws.account import ACCOUNT_ID, create_ec2
from local.aws.ec2.application import Ec2Application
from local.aws.ec2.durations import durations
from local.aws.ec2.region import Regions
from local.aws.ec2.simulator import Ec2Simulator
from local.clock import VirtualClock
from local.simulators.azure import create_app as create_azure
from local.simulators.gcp import create_app as create_gcp
from local.simulators.gcp import write_service_account
from local.simulators.simulator import Simulator
from tests.contract.aws_cloud import definition as aws_definition
from tests.contract.azure_cloud import SUBSCRIPTION, azure_definition
from tests.contract.cloud import CloudUnderTest
from tests.contract.gcp_cloud import gcp_definition
from tests.simulation.wire import Answer, Exchange, Wire, answered

CLOUDS: Final = ("aws", "azure", "gcp")
_RUNS_PER_ACCOUNT: Final = 1000
"""A subnet has about four thousand addresses, and moto never takes one back."""


@dataclass
class Clouds:
    """The wire, the providers on it (kept from run to run, as a warm function keeps its clients), and the clouds."""

    wire: Wire
    providers: Mapping[str, Provider]
    simulators: dict[str, Simulator]
    _runs: int = 0

    def empty(self, clock: VirtualClock, seed: int) -> None:
        """Three clouds in which nothing is and nothing was, on another clock; what they draw follows from the seed."""
        mock_random.seed(seed)
        for name, make in (("aws", self._ec2), ("azure", create_azure), ("gcp", create_gcp)):
            self.simulators[name] = make(clock, _no_sleep)
        self._runs += 1

    def under_test(self, clock: VirtualClock) -> dict[str, CloudUnderTest]:
        """The clouds as a World takes them."""
        definitions: Mapping[str, Callable[..., Any]] = {
            "aws": aws_definition,
            "azure": azure_definition,
            "gcp": gcp_definition,
        }
        return {
            name: CloudUnderTest(
                provider=self.providers[name],
                clock=clock,
                definition=definitions[name],
                arm=simulator.faults.arm,
                disarm=simulator.faults.disarm,
                inventory=simulator.inventory,
                calls=lambda simulator=simulator: simulator.log,  # type: ignore[misc]  # bound per iteration
                creates=(),
                deletes=(),
            )
            for name, simulator in self.simulators.items()
        }

    def _ec2(self, clock: VirtualClock, sleep: Callable[[float], None]) -> Simulator:
        if self._runs % _RUNS_PER_ACCOUNT == 0:
            return create_ec2(clock, sleep=sleep)
        for backend in ec2_backends[ACCOUNT_ID].values():
            for remembered in (backend.reservations, backend.volumes, backend.enis):
                remembered.clear()
        regions = Regions(ACCOUNT_ID, clock, durations())
        return Ec2Simulator(ACCOUNT_ID, regions, Ec2Application(regions), clock, sleep)


class _AtOnce:
    """Serves requests without any time passing: what a process needs before its first run."""

    def __init__(self, simulators: Mapping[str, Simulator]) -> None:
        self._simulators = simulators

    def carry(self, exchange: Exchange) -> None:
        exchange.answer = self.serve(exchange)

    def serve(self, exchange: Exchange) -> Answer:
        return answered(self._simulators[exchange.cloud], exchange.environ)


@contextmanager
def simulated_clouds() -> Iterator[Clouds]:
    """Clouds for as many runs as there are to be, one after the other."""
    wire = Wire()
    addresses = {name: wire.address(name) for name in CLOUDS}
    with TemporaryDirectory() as folder, wire.connected():
        key_file = Path(folder) / "key.json"
        write_service_account(key_file, f"{addresses['gcp']}/_token")
        environment = mock.patch.dict(os.environ, _environment(addresses, key_file))
        with environment, mock.patch("lambdas.saga.handler.gauge"):
            simulators: dict[str, Simulator] = {}
            wire.carrier = _AtOnce(simulators)
            yield Clouds(
                wire,
                {
                    "aws": AwsProvider.from_environment(os.environ),
                    "azure": AzureProvider.from_environment(os.environ),
                    "gcp": GcpProvider.from_environment(os.environ),
                },
                simulators,
            )


def _environment(addresses: Mapping[str, str], key_file: Path) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": addresses["aws"],
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "AZURE_RESOURCE_MANAGER_ENDPOINT": addresses["azure"],
        "IDENTITY_ENDPOINT": f"{addresses['azure']}/_identity/token",
        "IDENTITY_HEADER": "local",
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
        "GOOGLE_CLOUD_PROJECT": "shop",
        "GOOGLE_COMPUTE_ENDPOINT": addresses["gcp"],
        "no_proxy": "127.0.0.1",
    }


def _no_sleep(seconds: float) -> None:
    """Nothing: how long an answer takes is the wire's business."""
