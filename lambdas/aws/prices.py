"""What EC2 instances and EBS volumes cost by AWS's price list, on demand: without boot volumes, addresses and traffic.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html. The list has an
endpoint in a few regions, and holds the prices of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Self

from lambdas.aws.clients import AwsAccounts, AwsClients
from lambdas.aws.settings import AwsSettings
from lambdas.core.model import Intent
from lambdas.core.prices import Lookups, Price, by_the_hour
from lambdas.core.specs import AwsDisk, AwsInstance
from lambdas.core.targets import Target

_SERVICE: Final = "AmazonEC2"
_CURRENCY: Final = "USD"
_LINUX: Final = "Linux/UNIX"
_SYSTEMS: Final = {_LINUX: "Linux", "Windows": "Windows", "Red Hat Enterprise Linux": "RHEL", "SUSE Linux": "SUSE"}
"""By an image's platform details, what the price list calls the operating system: others have a price of their own."""

_Found = tuple[Decimal, str]
_Product = tuple[tuple[str, str], ...]
_Image = tuple[Target | None, str, str]


class AwsPrices:
    """The prices of what is to be created in any region; they are the same in every account."""

    def __init__(self, accounts: AwsAccounts) -> None:
        self._accounts = accounts
        self._known: dict[_Product, Decimal | None] = {}

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The prices as the function's environment lets us ask for them."""
        return cls(AwsAccounts(AwsSettings.from_environment(environ)))

    def prices(self, intents: Sequence[Intent]) -> list[Price]:
        """What an hour of each costs, where the list has it; raises StepError.

        Of more than 50 different images or products the first are looked up.
        """
        look = _Look(self._accounts, self._known)
        return [
            Price(resource=intent.resource_id, hourly=found[0], currency=_CURRENCY, basis=found[1])
            for intent in intents
            if (found := look.price(intent)) is not None
        ]


class _Look:
    """One look at the images and products that some intents name; what is listed stays known afterwards."""

    def __init__(self, accounts: AwsAccounts, known: dict[_Product, Decimal | None]) -> None:
        self._accounts = accounts
        self._listed_prices = Lookups[_Product, Decimal](known)
        self._systems = Lookups[_Image, str]({})

    def price(self, intent: Intent) -> _Found | None:
        """What an hour costs, and by which price."""
        match intent.definition:
            case AwsInstance() as definition:
                return self._instance(intent, definition)
            case AwsDisk() as definition:
                return self._volume(definition)
        return None

    def _instance(self, intent: Intent, definition: AwsInstance) -> _Found | None:
        region, image = definition.region, definition.spec.image
        system = self._systems.get((intent.target, region, image), lambda: self._system(intent.target, region, image))
        if system is None:
            return None
        size = definition.spec.size
        hourly = self._listed(
            "Hrs",
            regionCode=definition.region,
            instanceType=size,
            operatingSystem=system,
            tenancy="Shared",
            preInstalledSw="NA",
            capacitystatus="Used",
            marketoption="OnDemand",
        )
        return (hourly, f"{size} with {system}, on demand") if hourly is not None else None

    def _system(self, target: Target | None, region: str, image: str) -> str | None:
        clients = self._accounts.of(target)
        with clients.asked():
            images = clients.ec2(region).describe_images(ImageIds=[image])["Images"]
        return _SYSTEMS.get(images[0].get("PlatformDetails", _LINUX)) if images else None

    def _volume(self, definition: AwsDisk) -> _Found | None:
        spec = definition.spec
        monthly = self._listed("GB-Mo", regionCode=definition.region, productFamily="Storage", volumeApiName=spec.type)
        if monthly is None:
            return None
        return by_the_hour(monthly * spec.size_gb), f"{spec.size_gb} GB of {spec.type}, without IOPS of its own"

    def _listed(self, unit: str, **attributes: str) -> Decimal | None:
        """The one price that is listed for a unit of a product; None where there is none, or are several."""

        def look() -> Decimal | None:
            found = {price for product in self._products(attributes) for price in _on_demand(product, unit)}
            return found.pop() if len(found) == 1 else None

        return self._listed_prices.get(tuple(sorted(attributes.items())), look)

    def _products(self, attributes: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        clients: AwsClients = self._accounts.of(None)
        filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()]
        with clients.asked():
            answer = clients.price_list().get_products(ServiceCode=_SERVICE, Filters=filters)
        for document in answer["PriceList"]:
            yield json.loads(document)


def _on_demand(product: Mapping[str, Any], unit: str) -> Iterator[Decimal]:
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            if dimension["unit"] == unit and _CURRENCY in dimension["pricePerUnit"]:
                yield Decimal(dimension["pricePerUnit"][_CURRENCY])
