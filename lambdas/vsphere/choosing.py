"""Which host and datastore of a cluster a new machine goes to: those with the most room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lambdas.core.errors import CapacityError


class HostRoom(NamedTuple):
    """A host: whether it takes machines, how much memory in MiB it has left, and the datastores that it mounts."""

    ref: Any
    name: str
    usable: bool
    free_memory_mb: int
    datastores: frozenset[str]


class DatastoreRoom(NamedTuple):
    """A datastore: whether it takes machines, and its free space in GiB."""

    ref: Any
    name: str
    usable: bool
    free_gb: int


def shared_datastores(hosts: Sequence[HostRoom]) -> frozenset[str]:
    """The ids of the datastores that every host mounts which takes machines, so that they do for whichever it is."""
    usable = [host.datastores for host in hosts if host.usable]
    return frozenset.intersection(*usable) if usable else frozenset()


def choose_datastore(hosts: Sequence[HostRoom], datastores: Sequence[DatastoreRoom], disk_gb: int) -> Any:
    """The shared datastore with the most room; raises CapacityError where none has `disk_gb` free."""
    shared = shared_datastores(hosts)
    fitting = [it for it in datastores if it.usable and it.ref._GetMoId() in shared and it.free_gb >= disk_gb]
    if not fitting:
        raise CapacityError("NoDiskSpace", f"no datastore that the cluster's hosts share has {disk_gb} GiB free")
    return max(fitting, key=lambda it: (it.free_gb, it.name)).ref


def choose_host(hosts: Sequence[HostRoom]) -> Any:
    """The usable host with the most memory left; raises CapacityError where none is usable."""
    usable = [host for host in hosts if host.usable]
    if not usable:
        raise CapacityError("NoCompatibleHost", "every host of the cluster is disconnected or in maintenance")
    return max(usable, key=lambda it: (it.free_memory_mb, it.name)).ref
