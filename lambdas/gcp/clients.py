"""Compute Engine's clients, made when first needed and kept as long as the function is warm."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Final

from google.api_core.client_options import ClientOptions
from google.auth.credentials import Credentials
from google.cloud.compute_v1 import (
    DisksClient,
    InstancesClient,
    MachineTypesClient,
    RegionsClient,
    ZoneOperationsClient,
    ZonesClient,
)

from lambdas.adapters.by_target import ByTarget
from lambdas.core.targets import GcpTarget
from lambdas.gcp.credentials import target_credentials
from lambdas.gcp.settings import GcpSettings


class Patience:
    """How long one call may take to connect and to answer.

    google-api-core takes a number, which requests would apply to both, or a decorator such as this one.
    """

    def __init__(self, connect: float, read: float) -> None:
        self.timeout = (connect, read)

    def __call__(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with our timeouts."""
        return partial(call, timeout=self.timeout)


class GcpClients:
    """Compute Engine at one endpoint, for one project: a target's, or else the environment's.

    Pass `retry=None, timeout=clients.patience` with every call: the SDK would retry reads for ten minutes, where the
    state machine's Retry is what should, and can be seen.
    """

    def __init__(self, settings: GcpSettings, target: GcpTarget | None = None) -> None:
        self._settings = settings
        self._target = target
        self.project: Final = target.project if target else settings.project
        self.patience = Patience(settings.connect_timeout, settings.read_timeout)

    @cached_property
    def instances(self) -> InstancesClient:
        """Virtual machines."""
        return InstancesClient(credentials=self._credentials, client_options=self._options)

    @cached_property
    def disks(self) -> DisksClient:
        """Persistent disks."""
        return DisksClient(credentials=self._credentials, client_options=self._options)

    @cached_property
    def operations(self) -> ZoneOperationsClient:
        """What was begun in a zone, and how far it is."""
        return ZoneOperationsClient(credentials=self._credentials, client_options=self._options)

    @cached_property
    def regions(self) -> RegionsClient:
        """Regions, with the project's quotas in them."""
        return RegionsClient(credentials=self._credentials, client_options=self._options)

    @cached_property
    def zones(self) -> ZonesClient:
        """Zones, and whether they are up."""
        return ZonesClient(credentials=self._credentials, client_options=self._options)

    @cached_property
    def machine_types(self) -> MachineTypesClient:
        """Machine types, each in every zone that has it."""
        return MachineTypesClient(credentials=self._credentials, client_options=self._options)

    @cached_property
    def _options(self) -> ClientOptions:
        # The credentials know which Google Cloud they are for: the public one or a sovereign one.
        return ClientOptions(api_endpoint=self._settings.endpoint, universe_domain=self._credentials.universe_domain)

    @cached_property
    def _credentials(self) -> Credentials:
        return target_credentials(self._settings, self._target)


class GcpProjects(ByTarget[GcpTarget, GcpClients]):
    """The clients of each target, so that we sign in once for as long as its token lasts."""

    def __init__(self, settings: GcpSettings) -> None:
        super().__init__(GcpTarget, "Google Cloud", lambda target: GcpClients(settings, target))
