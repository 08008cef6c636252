"""What Azure's machines and managed disks cost at retail, pay as you go: without OS disks, addresses and traffic.

Sources: https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices (which is asked without
signing in), and https://learn.microsoft.com/azure/virtual-machines/disks-types for the sizes that disks are billed as.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Self
from urllib.parse import urlencode

from azure.core import PipelineClient
from azure.core.pipeline.policies import ContentDecodePolicy, UserAgentPolicy
from azure.core.rest import HttpRequest

from lambdas.azure.errors import translated
from lambdas.azure.settings import AzureSettings
from lambdas.core.model import Intent
from lambdas.core.prices import Lookups, Price, by_the_hour
from lambdas.core.specs import AzureDisk, AzureInstance

CURRENCY: Final = "USD"
_VERSION: Final = "2023-01-01-preview"

_OTHER_TERMS: Final = ("Spot", "Low Priority")
_OTHER_SYSTEMS: Final = ("Windows", "CloudServices")
_LICENSED: Final = "Microsoft"
"""How the publishers of images begin that may cost something by the hour themselves."""

_TIERS: Final = {"Standard_LRS": "S", "StandardSSD_LRS": "E", "Premium_LRS": "P"}
_SIZES: Final = {
    4: "1", 8: "2", 16: "3", 32: "4", 64: "6", 128: "10", 256: "15", 512: "20", 1024: "30", 2048: "40", 4096: "50",
    8192: "60", 16384: "70", 32767: "80",
}  # fmt: skip
"""GiB up to which a disk is billed as a tier; the smallest hard disk is of 32."""

_SMALLEST: Final = {"Standard_LRS": 32}

_Found = tuple[Decimal, str]


class AzurePrices:
    """The prices of what is to be created in any region; they are the same in every subscription."""

    def __init__(self, settings: AzureSettings) -> None:
        self._settings = settings
        self._client = PipelineClient[Any, Any](
            settings.prices_endpoint, policies=[UserAgentPolicy(), ContentDecodePolicy()]
        )
        self._known: dict[str, Decimal | None] = {}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The prices as the function's environment lets us ask for them."""
        return cls(AzureSettings.from_environment(environ))

    def prices(self, intents: Sequence[Intent]) -> list[Price]:
        """What an hour of each costs, where a price is listed; raises StepError.

        Of more than 50 different prices the first are looked up.
        """
        lookups = Lookups(self._known)
        return [
            Price(resource=intent.resource_id, hourly=found[0], currency=CURRENCY, basis=found[1])
            for intent in intents
            if (found := self._price(lookups, intent)) is not None
        ]

    def _price(self, lookups: Lookups[str, Decimal], intent: Intent) -> _Found | None:
        match intent.definition:
            case AzureInstance() as definition:
                return self._machine(lookups, definition)
            case AzureDisk() as definition:
                return self._disk(lookups, definition)
        return None

    def _machine(self, lookups: Lookups[str, Decimal], definition: AzureInstance) -> _Found | None:
        size = definition.spec.size
        if definition.spec.image.startswith(_LICENSED):
            return None
        hourly = self._listed(
            lookups,
            f"serviceName eq 'Virtual Machines' and armRegionName eq '{definition.region}' "
            f"and armSkuName eq {_literal(size)} and priceType eq 'Consumption'",
            "1 Hour",
        )
        return (hourly, f"{size} with Linux, pay as you go") if hourly is not None else None

    def _disk(self, lookups: Lookups[str, Decimal], definition: AzureDisk) -> _Found | None:
        tier = tier_of(definition.spec.type, definition.spec.size_gb)
        if tier is None:
            return None
        monthly = self._listed(
            lookups,
            f"serviceName eq 'Storage' and armRegionName eq '{definition.region}' "
            f"and skuName eq '{tier} LRS' and priceType eq 'Consumption'",
            "1/Month",
        )
        basis = f"a disk billed as {tier}, without operations"
        return (by_the_hour(monthly), basis) if monthly is not None else None

    def _listed(self, lookups: Lookups[str, Decimal], wanted: str, unit: str) -> Decimal | None:
        """The one price that is listed for a unit; None where there is none, or are several."""

        def look() -> Decimal | None:
            found = set(_priced(self._items(wanted), unit))
            return found.pop() if len(found) == 1 else None

        return lookups.get(wanted, look)

    def _items(self, wanted: str) -> Iterable[Mapping[str, Any]]:
        query = urlencode({"api-version": _VERSION, "currencyCode": CURRENCY, "$filter": wanted})
        request = HttpRequest("GET", self._client.format_url(f"/api/retail/prices?{query}"))
        with translated():
            answer = self._client.send_request(
                request,
                connection_timeout=self._settings.connect_timeout,
                read_timeout=self._settings.read_timeout,
            )
            answer.raise_for_status()
            items: list[Mapping[str, Any]] = answer.json()["Items"]
        return items


def tier_of(type_: str, size_gb: int) -> str | None:
    """The tier, as in E10, that a managed disk of a type and size in GiB is billed as; None above the largest."""
    for limit, number in _SIZES.items():
        if max(size_gb, _SMALLEST.get(type_, 0)) <= limit:
            return f"{_TIERS[type_]}{number}"
    return None


def _priced(items: Iterable[Mapping[str, Any]], unit: str) -> Iterator[Decimal]:
    for item in items:
        special = any(term in item["skuName"] for term in _OTHER_TERMS)
        other = any(system in item["productName"] for system in _OTHER_SYSTEMS) or "Mount" in item["meterName"]
        if item["unitOfMeasure"] == unit and not special and not other:
            yield Decimal(str(item["retailPrice"]))


def _literal(text: str) -> str:
    """A literal of OData, whatever a request calls a size."""
    return "'" + text.replace("'", "''") + "'"
