"""The roles that are shipped for the other clouds: enough for what their verb calls, and no more than is known of.

The simulators log every call; what it takes leave to make it is told by its path, as Azure and Google name permissions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from lambdas.core.model import AttachedDisk, Intent
from lambdas.core.ports.provider import Marked, PublicProvider
from tests.contract.azure_cloud import azure_cloud
from tests.contract.cloud import PublicCloud
from tests.contract.gcp_cloud import gcp_cloud

ROLES: Final = Path(__file__).parents[2] / "infra" / "roles"
VERBS: Final = ("create", "observe", "delete", "check", "sweep")
CHANGING: Final = {"create", "delete"}

UNSEEN: Final = {
    ("azure", "create"): {
        "Microsoft.Network/networkInterfaces/join/action",
        "Microsoft.Network/publicIPAddresses/join/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    },
    ("azure", "delete"): {
        "Microsoft.Network/networkInterfaces/delete",
        "Microsoft.Network/publicIPAddresses/delete",
    },
    ("gcp", "create"): {
        "compute.disks.setLabels",
        "compute.disks.use",
        "compute.images.useReadOnly",
        "compute.instances.setLabels",
        "compute.instances.setMetadata",
        "compute.subnetworks.use",
        "compute.subnetworks.useExternalIp",
    },
}
"""What a create needs besides the call itself, for what it refers to, by each cloud's documentation of the call; and
what a delete needs only where a machine did not take its parts along, because it never came to be."""

_AZURE_ACTIONS: Final = {"GET": "read", "PUT": "write", "DELETE": "delete"}
_GCP_ACTIONS: Final = {"insert": "create", "aggregatedList": "list"}


def permissions(cloud: str, verb: str) -> set[str]:
    """What a shipped role allows."""
    if cloud == "azure":
        return set(json.loads((ROLES / cloud / f"{verb}.json").read_text())["Actions"])
    return set(yaml.safe_load((ROLES / cloud / f"{verb}.yaml").read_text())["includedPermissions"])


def needed(cloud: str, call: Any) -> str:
    """What it takes leave to make a logged call."""
    if cloud == "gcp":
        collection, _, method = call.operation.partition(".")
        return f"compute.{collection}.{_GCP_ACTIONS.get(method, method)}"
    namespace, *rest = call.path.partition("?")[0].rpartition("/providers/")[2].strip("/").split("/")
    if rest[0] == "locations":
        return f"{namespace}/locations/{rest[2]}/read"
    return f"{namespace}/{rest[0]}/{_AZURE_ACTIONS[call.method]}"


@pytest.fixture(name="used", scope="module", params=["azure", "gcp"])
def _used(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, set[str]]]]:
    """A cloud, and what each verb's function needed of it in the life of an instance with a disk and an address."""
    with azure_cloud() if request.param == "azure" else gcp_cloud() as cloud:
        yield request.param, _live(request.param, cloud)


def _live(name: str, cloud: PublicCloud) -> dict[str, set[str]]:
    used: dict[str, set[str]] = {verb: set() for verb in VERBS}

    def as_verb(verb: str, call: Callable[[], Any]) -> Any:
        before = len(cloud.calls())
        result = call()
        for made in list(cloud.calls())[before:]:
            if not re.search("token|identity", made.path, re.IGNORECASE):
                used[verb].add(needed(name, made))
        return result

    provider = cloud.provider
    disk = cloud.intent("disk", "data")
    web = cloud.intent("instance", "web", disks=["data"], public_address=True)
    as_verb("check", partial(provider.shortages, [disk, web]))
    ids = [_provision(cloud, as_verb, disk)]
    web = web.model_copy(update={"disks": (AttachedDisk("data", disk.name, ids[0]),)})
    _provision(cloud, as_verb, web)
    as_verb("sweep", partial(_listed, provider))
    for intent in (web, disk):
        while as_verb("observe", partial(provider.find, intent)):
            as_verb("delete", partial(provider.delete, intent))
            cloud.clock.advance(5)
    return used


def _listed(provider: PublicProvider) -> list[Marked]:
    return list(provider.inventory())


def _provision(cloud: PublicCloud, as_verb: Callable[[str, Callable[[], Any]], Any], intent: Intent) -> str:
    provider, seen = cloud.provider, None
    for part in provider.parts(intent):
        handle = as_verb("create", partial(provider.create, intent, part))
        intent = intent.model_copy(update={"operations": {**intent.operations, part: handle}})
        while not (seen := as_verb("observe", partial(provider.observe, intent, part))).ready:
            cloud.clock.advance(1)
        as_verb("create", partial(provider.observe, intent, part))  # a repeated call looks first
    assert seen is not None
    return str(seen.cloud_id)


@pytest.mark.parametrize("verb", VERBS)
def test_a_role_is_enough_for_its_verb(used: tuple[str, dict[str, set[str]]], verb: str) -> None:
    cloud, by_verb = used

    assert by_verb[verb]
    assert by_verb[verb] - permissions(cloud, verb) == set()


@pytest.mark.parametrize("verb", VERBS)
def test_a_role_allows_nothing_that_nobody_needs(used: tuple[str, dict[str, set[str]]], verb: str) -> None:
    cloud, by_verb = used

    assert permissions(cloud, verb) - by_verb[verb] - UNSEEN.get((cloud, verb), set()) == set()


@pytest.mark.parametrize("cloud", ["azure", "gcp"])
@pytest.mark.parametrize("verb", VERBS)
def test_only_creating_creates_and_only_deleting_deletes(cloud: str, verb: str) -> None:
    changing = {it for it in permissions(cloud, verb) if not re.search(r"(read|\.get|\.list)$", it)}
    deleting = {it for it in changing if re.search("delete", it, re.IGNORECASE)}

    assert bool(changing) == (verb in CHANGING)
    assert deleting == (changing if verb == "delete" else set())
    assert not any("*" in it for it in permissions(cloud, verb))
