"""The requests that the simulations provision."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

EXAMPLES: Final = Path(__file__).resolve().parents[2] / "examples"
_PLACES: Final[dict[str, dict[str, str]]] = {
    "aws": {"region": "eu-west-1"},
    "azure": {"region": "westeurope"},
    "gcp": {"zone": "europe-west1-b"},
}
_DISKS: Final[dict[str, dict[str, Any]]] = {
    "aws": {"size_gb": 20, "zone": "eu-west-1a"},
    "azure": {"size_gb": 20, "resource_group": "shop"},
    "gcp": {"size_gb": 20},
}
_INSTANCES: Final[dict[str, dict[str, Any]]] = {
    "aws": {"image": "ami-0abc1234567890def", "size": "t3.micro"},
    "azure": {
        "image": "Canonical:ubuntu-24_04-lts:server:latest",
        "size": "Standard_B1s",
        "resource_group": "shop",
        "admin_username": "ops",
        "ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ops",
    },
    "gcp": {"image": "projects/debian-cloud/global/images/family/debian-12", "size": "e2-small"},
}


@cache
def _example() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / "three-clouds.yaml").read_text())
    return document


def three_clouds() -> dict[str, Any]:
    """An instance with a data disk on each of three clouds."""
    return dict(_example())


def one_disk(**more: Any) -> dict[str, Any]:
    """The smallest request there is."""
    disk = {"id": "data", "provider": "gcp", "kind": "disk", **_PLACES["gcp"], "spec": {"size_gb": 10}}
    return {"name": "one", "preflight": False, "resources": [disk], **more}


def random_request(random: Random) -> dict[str, Any]:
    """The three-cloud request, or up to six resources on some of the clouds: disks, addresses, chains and fans."""
    if random.random() < 0.3:
        return three_clouds()
    clouds = random.sample(sorted(_PLACES), random.choice((1, 2, 3, 3)))
    resources: list[dict[str, Any]] = []
    while len(resources) < random.randint(1, 5):
        resources += _instance(random, random.choice(clouds), len(resources), resources)
    return {"name": "random", "labels": {"team": "payments"}, "resources": resources[:6]}


def _instance(random: Random, cloud: str, number: int, earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A disk by itself, an instance, or an instance with a disk; sometimes behind something that comes earlier."""
    disk = {"id": f"disk-{number}", "provider": cloud, "kind": "disk", **_PLACES[cloud], "spec": _DISKS[cloud]}
    shape = random.choice(("disk", "instance", "both"))
    if shape == "disk":
        return [disk]
    with_disk = shape == "both" and number < 5
    spec = {**_INSTANCES[cloud], "public_address": random.random() < 0.3, "disks": [disk["id"]] if with_disk else []}
    instance = {"id": f"web-{number}", "provider": cloud, "kind": "instance", **_PLACES[cloud], "spec": spec}
    if earlier and random.random() < 0.4:
        instance["depends_on"] = [random.choice(earlier)["id"]]
    return [disk, instance] if with_disk else [instance]
