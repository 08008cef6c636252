"""What Azure would refuse: sizes that a region does not offer to this subscription, and quotas that are too small.

A usage that Azure does not list, or whose limit is negative, refuses nothing; capacity itself nobody can ask for. Each
region is asked for its sizes and usages once, however many machines there are to be.
Sources: https://learn.microsoft.com/rest/api/compute/usage/list, .../compute/resource-skus/list and
.../virtualnetwork/usages/list; quotas per family: https://learn.microsoft.com/azure/virtual-machines/quotas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, Self

from lambdas.azure.clients import AzureClients
from lambdas.core.errors import CapacityError
from lambdas.core.model import Intent
from lambdas.core.preflight import MOST_KINDS, Allowance, Demand, Quota, Shortage, exceeded, grouped, refused
from lambdas.core.specs import AzureInstance

MACHINES: Final = "virtualMachines"
CORES: Final = "cores"
INTERFACES: Final = "NetworkInterfaces"
ADDRESSES: Final = "StandardSkuPublicIpAddresses"

_SKU: Final = "SkuNotAvailable"

Wanted = tuple[Intent, AzureInstance]


def shortages(clients: AzureClients, intents: Sequence[Intent]) -> list[Shortage]:
    """Everything that Azure would refuse of the intents together, in the regions they are for."""
    wanted = [(it, it.definition) for it in intents if isinstance(it.definition, AzureInstance)]
    regions = grouped(wanted, lambda pair: pair[1].region)
    return [shortage for region, here in regions.items() for shortage in _in_region(clients, region, here)]


def _in_region(clients: AzureClients, region: str, wanted: Sequence[Wanted]) -> Iterator[Shortage]:
    """The sizes that are not offered, the first hundred of them, and the usages that leave too little for the rest."""
    skus = _sizes(clients, region)
    sizes = grouped(wanted, lambda pair: pair[1].spec.size)
    reasons = {size: reason for size in sizes if (reason := _unavailable(skus.get(size), size, region))}
    for size, reason in islice(reasons.items(), MOST_KINDS):
        yield refused((intent.resource_id for intent, _ in sizes[size]), region, CapacityError(_SKU, reason))
    offered = {size: _Size.of(skus[size]) for size in sizes if size not in reasons}
    demands = [
        demand
        for intent, it in wanted
        if it.spec.size in offered
        for demand in _demands(intent, it, offered[it.spec.size])
    ]
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


class _Size(NamedTuple):
    """What a machine of a size takes: virtual processors, if Azure says how many, of the quota of a family, if any."""

    vcpus: int | None
    family: str | None

    @classmethod
    def of(cls, sku: Mapping[str, Any]) -> Self:
        """What a size's description says."""
        capabilities = {it.get("name"): it.get("value") for it in sku.get("capabilities") or ()}
        vcpus = capabilities.get("vCPUs")
        return cls(int(vcpus) if vcpus else None, sku.get("family"))


def _demands(intent: Intent, definition: AzureInstance, size: _Size) -> Iterator[Demand]:
    region, resource_id = definition.region, intent.resource_id
    yield Demand(resource_id, Quota(MACHINES, region), 1)
    yield Demand(resource_id, Quota(INTERFACES, region), 1)
    if definition.spec.public_address:
        yield Demand(resource_id, Quota(ADDRESSES, region), 1)
    if size.vcpus is not None:
        yield Demand(resource_id, Quota(CORES, region), size.vcpus)
        if size.family:
            yield Demand(resource_id, Quota(size.family, region), size.vcpus)


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
