"""One zone of the project: each method is one call, answered with what is there or with a translated error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from google.api_core.exceptions import NotFound
from google.cloud.compute_v1 import (
    Disk,
    InsertDiskRequest,
    InsertInstanceRequest,
    Instance,
    ListDisksRequest,
    ListInstancesRequest,
    Operation,
)

from lambdas.adapters.observability import cloud_answered
from lambdas.core.errors import StepError
from lambdas.gcp.clients import GcpClients
from lambdas.gcp.errors import DELETED_LATER_CODES, translated


class Zone:
    """A zone's instances, disks and operations. Nothing waits: what is begun is an Operation.

    The SDK's `insert` and `delete` return futures that would poll an endpoint of their own, so only the `*_unary`
    methods are used.
    """

    def __init__(self, clients: GcpClients, project: str, zone: str) -> None:
        self._clients = clients
        self.project: Final = project
        self._scope: dict[str, Any] = {"project": project, "zone": zone}
        self._call: dict[str, Any] = {"retry": None, "timeout": clients.patience}

    def instance(self, name: str) -> Instance | None:
        """The instance of that name, if there is one."""
        with translated():
            try:
                return self._clients.instances.get(instance=name, **self._scope, **self._call)
            except NotFound:
                return None

    def disk(self, name: str) -> Disk | None:
        """The disk of that name, if there is one."""
        with translated():
            try:
                return self._clients.disks.get(disk=name, **self._scope, **self._call)
            except NotFound:
                return None

    def operation(self, name: str) -> Operation | None:
        """The operation of that name, unless it has expired."""
        with translated():
            try:
                return self._clients.operations.get(operation=name, **self._scope, **self._call)
            except NotFound:
                return None

    def instances(self, expression: str) -> list[Instance]:
        """The instances that match a filter expression, as far as the list has caught up."""
        with translated():
            request = ListInstancesRequest(filter=expression, **self._scope)
            return list(self._clients.instances.list(request, **self._call))

    def disks(self, expression: str) -> list[Disk]:
        """The disks that match a filter expression, as far as the list has caught up."""
        with translated():
            request = ListDisksRequest(filter=expression, **self._scope)
            return list(self._clients.disks.list(request, **self._call))

    def insert_instance(self, body: Instance, request_id: str) -> Operation:
        """Begin creating an instance; the same request id again returns the same operation."""
        with translated():
            request = InsertInstanceRequest(instance_resource=body, request_id=request_id, **self._scope)
            return _begun("instances.insert", self._clients.instances.insert_unary(request, **self._call))

    def insert_disk(self, body: Disk, request_id: str) -> Operation:
        """Begin creating a disk; the same request id again returns the same operation."""
        with translated():
            request = InsertDiskRequest(disk_resource=body, request_id=request_id, **self._scope)
            return _begun("disks.insert", self._clients.disks.insert_unary(request, **self._call))

    def delete_instance(self, name: str) -> None:
        """Begin deleting an instance; one that is gone already, or cannot go yet, is left alone."""
        with _left_for_next_time(), translated():
            begun = self._clients.instances.delete_unary(instance=name, **self._scope, **self._call)
            _begun("instances.delete", begun)

    def delete_disk(self, name: str) -> None:
        """Begin deleting a disk; one that is gone already, or cannot go yet, is left alone."""
        with _left_for_next_time(), translated():
            _begun("disks.delete", self._clients.disks.delete_unary(disk=name, **self._scope, **self._call))


def _begun(call: str, operation: Operation) -> Operation:
    """Note the operation's name, by which the project's audit log knows what was asked for."""
    cloud_answered("gcp", call, operation_id=operation.name, request_id=operation.client_operation_id)
    return operation


@contextmanager
def _left_for_next_time() -> Iterator[None]:
    """Deletion is level-triggered: what is not there, or cannot go now, is looked at again later.

    For the same reason a deletion has no request id: replaying one would spare what came to life after it.
    """
    try:
        yield
    except StepError as error:
        if error.code not in DELETED_LATER_CODES:
            raise
