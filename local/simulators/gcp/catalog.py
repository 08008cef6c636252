"""What exists in every simulated project without being created: machine types, disk types, public images, a network."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from lambdas.core.locations import GCP_ZONES
from local.simulators.gcp.errors import invalid, not_found
from local.simulators.gcp.paths import last, region_of, resolve

MACHINE_TYPES: Final = {"e2-micro": 2, "e2-small": 2, "e2-medium": 2, "n2-standard-2": 2, "n2-standard-4": 4}
"""By name, the vCPUs."""

DISK_TYPES: Final = frozenset({"pd-standard", "pd-balanced", "pd-ssd"})
NETWORK: Final = "default"


class Image(NamedTuple):
    """A public image: its name and its size in GiB, which is the least a disk made from it can have."""

    name: str
    size_gb: int


IMAGES: Final = {
    "projects/debian-cloud/global/images/family/debian-12": Image("debian-12-bookworm-v20261014", 10),
    "projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-amd64": Image(
        "ubuntu-2404-noble-amd64-v20261020", 10
    ),
}
"""By image family; an image can be named directly, too."""

_BY_NAME: Final = {f"{family.partition('/family/')[0]}/{image.name}": image for family, image in IMAGES.items()}
_NAME: Final = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")
_LABEL: Final = re.compile(r"[\w-]{0,63}")


def check_zone(zone: str) -> None:
    """Refuse a zone that Google does not have."""
    if zone not in GCP_ZONES:
        raise invalid("zone", zone, "Unknown zone.")


def check_name(name: object) -> None:
    """Refuse a name that is not one to 63 characters of a-z, 0-9 and -, beginning with a letter."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        why = r"Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"
        raise invalid("resource.name", name, why)


def check_labels(labels: dict[str, str]) -> None:
    """Refuse labels with capitals, spaces, more than 63 characters, or a key that does not begin with a letter."""
    for key, value in labels.items():
        if not _LABEL.fullmatch(key) or not key[:1].isalpha() or key != key.lower():
            raise invalid("resource.labels", key, "Label keys are lowercase and begin with a letter.")
        if not _LABEL.fullmatch(value) or value != value.lower():
            raise invalid("resource.labels", value, "Label values are lowercase letters, digits, _ and -.")


def check_machine_type(reference: str, zone: str) -> None:
    """Refuse a machine type that the zone does not have."""
    if last(reference) not in MACHINE_TYPES or f"zones/{zone}/" not in reference:
        why = f"Machine type with name '{last(reference)}' does not exist in zone '{zone}'."
        raise invalid("resource.machineType", reference, why)


def check_disk_type(field: str, reference: str, zone: str) -> None:
    """Refuse a disk type that the zone does not have."""
    if last(reference) not in DISK_TYPES or f"zones/{zone}/" not in reference:
        raise invalid(field, reference, "The referenced disk type resource cannot be found.")


def check_network(interface: dict[str, str], zone: str, project: str) -> None:
    """Refuse a network or subnetwork other than the automatic one, or none at all."""
    network, subnetwork = interface.get("network"), interface.get("subnetwork")
    if network is None and subnetwork is None:
        raise invalid("resource.networkInterfaces[0]", "", "At least one of network and subnetwork must be given.")
    if network is not None and resolve(network, project) != f"projects/{project}/global/networks/{NETWORK}":
        field = "resource.networkInterfaces[0].network"
        raise invalid(field, network, "The referenced network resource cannot be found.")
    wanted = f"projects/{project}/regions/{region_of(zone)}/subnetworks/{NETWORK}"
    if subnetwork is not None and resolve(subnetwork, project) != wanted:
        field = "resource.networkInterfaces[0].subnetwork"
        raise invalid(field, subnetwork, "The referenced subnetwork resource cannot be found.")


def image(reference: str, project: str) -> Image:
    """The image that `reference` names, by family or directly; an unknown one is not found."""
    path = resolve(reference, project)
    found = IMAGES.get(path) or _BY_NAME.get(path)
    if found is None:
        raise not_found(path)
    return found
