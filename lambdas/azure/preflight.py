"""What Azure would refuse: sizes that a region does not offer to this subscription, and quotas that are too small.

A usage that Azure does not list, or whose limit is negative, refuses nothing; capacity itself nobody can ask for.
Sources: https://learn.microsoft.com/rest/api/compute/usage/list, .../compute/resource-skus/list and
.../virtualnetwork/usages/list; quotas per family: https://learn.microsoft.com/azure/virtual-machines/quotas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from lambdas.azure.clients import AzureClients
from lambdas.core.errors import CapacityError
from lambdas.core.model import Intent
from lambdas.core.preflight import Allowance, Demand, Quota, Shortage, exceeded, refused
from lambdas.core.specs import AzureInstance

MACHINES: Final = "virtualMachines"
CORES: Final = "cores"
INTERFACES: Final = "NetworkInterfaces"
ADDRESSES: Final = "StandardSkuPublicIpAddresses"

_SKU: Final = "SkuNotAvailable"

Wanted = tuple[Intent, AzureInstance]


def shortages(clients: AzureClients, intents: Sequence[Intent]) -> list[Shortage]:
    """Everything that Azure would refuse of the intents together, in the regions they are for."""
    regions: dict[str, list[Wanted]] = {}
    for intent in intents:
        if isinstance(intent.definition, AzureInstance):
            regions.setdefault(intent.definition.region, []).append((intent, intent.definition))
    return [shortage for region, wanted in regions.items() for shortage in _in_region(clients, region, wanted)]


def _in_region(clients: AzureClients, region: str, wanted: Sequence[Wanted]) -> Iterator[Shortage]:
    sizes = _sizes(clients, region)
    offered: list[Wanted] = []
    for intent, definition in wanted:
        reason = _unavailable(sizes.get(definition.spec.size), definition.spec.size, region)
        if reason is None:
            offered.append((intent, definition))
        else:
            yield refused(intent.resource_id, region, CapacityError(_SKU, reason))
    demands = [demand for intent, it in offered for demand in _demands(intent, it, sizes[it.spec.size])]
    yield from exceeded(demands, _allowances(clients, region))


def _sizes(clients: AzureClients, region: str) -> dict[str, Mapping[str, Any]]:
    """The sizes of virtual machines that are sold in the region, by name."""
    skus = clients.compute.resource_skus.list(filter=f"location eq '{region}'")
    return {sku["name"]: sku for sku in skus if sku.get("resourceType") == "virtualMachines"}


def _unavailable(sku: Mapping[str, Any] | None, size: str, region: str) -> str | None:
    """Why no machine of a size can be had in a region at all; one that is only kept from some zones can."""
    if sku is None:
        return f"{size} is not offered in {region}"
    for restriction in sku.get("restrictions") or ():
        if restriction.get("type") == "Location":
            return f"{size} is not available in {region}: {restriction.get('reasonCode', 'no reason given')}"
    return None


def _demands(intent: Intent, definition: AzureInstance, sku: Mapping[str, Any]) -> Iterator[Demand]:
    region, resource_id = definition.region, intent.resource_id
    yield Demand(resource_id, Quota(MACHINES, region), 1)
    yield Demand(resource_id, Quota(INTERFACES, region), 1)
    if definition.spec.public_address:
        yield Demand(resource_id, Quota(ADDRESSES, region), 1)
    vcpus = _vcpus(sku)
    if vcpus is not None:
        yield Demand(resource_id, Quota(CORES, region), vcpus)
        if family := sku.get("family"):
            yield Demand(resource_id, Quota(family, region), vcpus)


def _vcpus(sku: Mapping[str, Any]) -> int | None:
    capabilities = {it.get("name"): it.get("value") for it in sku.get("capabilities") or ()}
    vcpus = capabilities.get("vCPUs")
    return int(vcpus) if vcpus else None


def _allowances(clients: AzureClients, region: str) -> dict[Quota, Allowance]:
    usages: Iterable[Mapping[str, Any]] = (
        *clients.compute.usage.list(region),
        *clients.network.usages.list(region),
    )
    return {
        Quota(usage["name"]["value"], region): Allowance(usage["limit"], usage["currentValue"])
        for usage in usages
        if (usage.get("name") or {}).get("value")
    }
