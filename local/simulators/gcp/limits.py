"""What a project may have: regions with their quotas, zones, and machine types.

The fault `capacity` on `regions.get` makes every quota used up.
"""

from __future__ import annotations

from typing import Any, Final

from lambdas.core.locations import GCP_ZONES
from local.simulators.gcp.catalog import MACHINE_TYPES
from local.simulators.gcp.errors import not_found
from local.simulators.gcp.paths import link, region_of
from local.simulators.gcp.routes import Route
from local.simulators.gcp.state import Disk, State

COLLECTIONS: Final = frozenset({"regions", "zones", "machineTypes"})

_CPUS: Final = 20_000
_DISK_GB: Final = 1_000_000
_ADDRESSES: Final = 10_000
_REGIONS: Final = frozenset(map(region_of, GCP_ZONES))


def answer(state: State, route: Route, *, full: bool) -> dict[str, Any]:
    """The JSON that answers a get of one of these; `full` plays a region of which everything is used."""
    match route.collection:
        case "regions":
            return _region(state, route, full)
        case "zones":
            return _zone(route)
        case _:
            return _machine_type(route)


def _region(state: State, route: Route, full: bool) -> dict[str, Any]:
    region = str(route.name)
    if region not in _REGIONS:
        raise not_found(route.path)
    quotas = [
        {"metric": metric, "limit": float(limit), "usage": float(limit if full else used)}
        for metric, used, limit in _quotas(state, f"{route.parent}/zones/{region}-")
    ]
    return {
        "kind": "compute#region",
        "name": region,
        "status": "UP",
        "quotas": quotas,
        "selfLink": link(route.path),
    }


def _quotas(state: State, prefix: str) -> list[tuple[str, int, int]]:
    """Metric, usage and limit of each quota of a region."""
    instances = [it for path, it in state.instances.items() if path.startswith(prefix)]
    disks = [it for path, it in state.disks.items() if path.startswith(prefix)]
    n2 = sum(MACHINE_TYPES[it.machine_type] for it in instances if it.machine_type.startswith("n2-"))
    return [
        ("INSTANCES", len(instances), state.timing.instances_per_region),
        ("CPUS", sum(MACHINE_TYPES[it.machine_type] for it in instances) - n2, _CPUS),
        ("N2_CPUS", n2, _CPUS),
        ("IN_USE_ADDRESSES", sum(it.nat_ip is not None for it in instances), _ADDRESSES),
        ("DISKS_TOTAL_GB", _gigabytes(disks, "pd-standard"), _DISK_GB),
        ("SSD_TOTAL_GB", _gigabytes(disks, "pd-balanced", "pd-ssd"), _DISK_GB),
    ]


def _gigabytes(disks: list[Disk], *types: str) -> int:
    return sum(disk.size_gb for disk in disks if disk.type in types)


def _zone(route: Route) -> dict[str, Any]:
    zone = str(route.zone)
    project = route.parent.split("/")[1]
    return {
        "kind": "compute#zone",
        "name": zone,
        "status": "UP",
        "region": link(f"projects/{project}/regions/{region_of(zone)}"),
        "selfLink": link(route.parent),
    }


def _machine_type(route: Route) -> dict[str, Any]:
    cpus = MACHINE_TYPES.get(str(route.name))
    if cpus is None:
        raise not_found(route.path)
    return {
        "kind": "compute#machineType",
        "name": route.name,
        "guestCpus": cpus,
        "zone": route.zone,
        "selfLink": link(route.path),
    }
