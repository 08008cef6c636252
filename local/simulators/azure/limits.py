"""What a subscription may have in a region: Microsoft.Compute's and Microsoft.Network's usages, and the sizes on sale.

The fault `capacity` on one of these looks makes it say that nothing is left.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from local.simulators.azure.attachments import MACHINE_TYPE, dig
from local.simulators.azure.estate import Estate

INTERFACES_PER_REGION: Final = 65_536
ADDRESSES_PER_REGION: Final = 1_000
MACHINES_PER_REGION: Final = 25_000

_PATH: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/providers/(?P<namespace>Microsoft\.(Compute|Network))/"
    r"(locations/(?P<location>[^/]+)/usages|(?P<skus>skus))/?",
    re.IGNORECASE,
)
_FILTER: Final = re.compile(r"location eq '(?P<location>[^']+)'")
_FAMILIES: Final = {"B": "standardBSFamily", "D": "standardDSv5Family"}
_OPERATIONS: Final = {"microsoft.compute": "Usage_List", "microsoft.network": "Usages_List"}


def limits_operation(path: str) -> str | None:
    """The operation's name for a GET of usages or sizes; None for any other path."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    return "ResourceSkus_List" if match["skus"] else _OPERATIONS[match["namespace"].lower()]


def limits_document(operation: str, path: str, arguments: Mapping[str, str], estate: Estate, *, full: bool) -> object:
    """The answer to such a GET; `full` plays a region where nothing is left."""
    if operation == "ResourceSkus_List":
        named = _FILTER.fullmatch(arguments.get("$filter", ""))
        return {
            "value": [_sku(size, estate, named["location"] if named else "", full) for size in estate.settings.sizes]
        }
    match = _PATH.fullmatch(path)
    assert match is not None  # noqa: S101 -- the path was recognized as one of ours
    usage = _compute if operation == "Usage_List" else _network
    usages = usage(estate, match["subscription"], match["location"])
    return {"value": [_usage(name, used, used if full else limit) for name, (used, limit) in usages.items()]}


def _compute(estate: Estate, subscription: str, location: str) -> dict[str, tuple[int, int]]:
    sizes = [
        dig(machine.properties, "hardwareProfile", "vmSize")
        for machine in estate.of_type(MACHINE_TYPE)
        if (machine.subscription, machine.location) == (subscription, location)
    ]
    cores: Counter[str] = Counter()
    for size in sizes:
        cores[_family(size)] += estate.settings.sizes[size]
    limit = estate.settings.regional_cores
    families = {family: (cores[family], limit) for family in _FAMILIES.values()}
    return {
        "cores": (cores.total(), limit),
        "virtualMachines": (len(sizes), MACHINES_PER_REGION),
        **families,
    }


def _network(estate: Estate, subscription: str, location: str) -> dict[str, tuple[int, int]]:
    here = [it for it in estate if (it.subscription, it.location) == (subscription, location)]
    counts = Counter(resource.kind.collection for resource in here)
    return {
        "NetworkInterfaces": (counts["networkInterfaces"], INTERFACES_PER_REGION),
        "StandardSkuPublicIpAddresses": (counts["publicIPAddresses"], ADDRESSES_PER_REGION),
    }


def _usage(name: str, used: int, limit: int) -> dict[str, Any]:
    return {"unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": name}}


def _sku(size: str, estate: Estate, location: str, full: bool) -> dict[str, Any]:
    nowhere = {
        "type": "Location",
        "values": [location],
        "restrictionInfo": {"locations": [location]},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size,
        "tier": "Standard",
        "size": size.removeprefix("Standard_"),
        "family": _family(size),
        "locations": [location],
        "capabilities": [{"name": "vCPUs", "value": str(estate.settings.sizes[size])}],
        "restrictions": [nowhere] if full else [],
    }


def _family(size: str) -> str:
    return _FAMILIES[size.removeprefix("Standard_")[0]]
