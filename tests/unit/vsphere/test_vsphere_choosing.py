"""Which host and datastore a machine goes to."""

from __future__ import annotations

import pytest
from pyVmomi import vim

from lambdas.core.errors import CapacityError
from lambdas.vsphere.choosing import DatastoreRoom, HostRoom, choose_datastore, choose_host, shared_datastores


def host(name: str, free: int = 100, usable: bool = True, stores: str = "ab") -> HostRoom:
    return HostRoom(vim.HostSystem(name, None), name, usable, free, frozenset(stores))


def store(name: str, free: int = 100, usable: bool = True) -> DatastoreRoom:
    return DatastoreRoom(vim.Datastore(name, None), name, usable, free)


def test_the_usable_host_with_the_most_memory_left_is_chosen() -> None:
    chosen = choose_host([host("h1", 10), host("h2", 30), host("h3", 90, usable=False)])
    assert chosen._GetMoId() == "h2"


def test_no_usable_host_is_a_lack_of_capacity() -> None:
    with pytest.raises(CapacityError, match="every host of the cluster is disconnected or in maintenance"):
        choose_host([host("h1", usable=False)])


def test_a_datastore_must_be_mounted_by_every_usable_host() -> None:
    hosts = [host("h1", stores="abc"), host("h2", stores="bc"), host("h3", usable=False, stores="d")]
    assert shared_datastores(hosts) == {"b", "c"}
    assert choose_datastore(hosts, [store("a", 900), store("b", 10), store("c", 50)], 5)._GetMoId() == "c"


def test_no_hosts_share_nothing() -> None:
    assert shared_datastores([]) == frozenset()


def test_a_datastore_that_is_not_usable_is_passed_over() -> None:
    assert choose_datastore([host("h1")], [store("a", 900, usable=False), store("b", 10)], 5)._GetMoId() == "b"


def test_a_disk_that_fits_nowhere_is_a_lack_of_capacity() -> None:
    with pytest.raises(
        CapacityError, match="NoDiskSpace: no datastore that the cluster's hosts share has 200 GiB free"
    ):
        choose_datastore([host("h1")], [store("a"), store("b")], 200)
