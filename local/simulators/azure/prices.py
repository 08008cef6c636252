"""Azure's retail prices, which are asked for without signing in: the few that the simulated bill is made with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from local.simulators.azure.errors import json_response

PATH: Final = "/api/retail/prices"
OPERATION: Final = "RetailPrices_List"

_CONDITION: Final = re.compile(r"(\w+) eq '((?:[^']|'')*)'")

_MACHINES: Final = {
    "Standard_B1s": 0.0104,
    "Standard_B2s": 0.0416,
    "Standard_D2s_v5": 0.096,
    "Standard_D4s_v5": 0.192,
}
_DISKS: Final = {"E4": 2.4, "E6": 4.8, "E10": 9.6, "P10": 19.71, "S4": 1.54, "S10": 5.89}


def answer(request: Request) -> Response:
    """The items that a `$filter` names, in every region alike."""
    wanted = {name: value.replace("''", "'") for name, value in _CONDITION.findall(request.args.get("$filter", ""))}
    items = [item for item in _items(wanted.get("armRegionName", "")) if _fits(item, wanted)]
    return json_response({"BillingCurrency": "USD", "Items": items, "NextPageLink": None, "Count": len(items)})


def _fits(item: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(item["type" if name == "priceType" else name] == value for name, value in wanted.items())


def _items(region: str) -> Iterator[dict[str, Any]]:
    for size, hourly in _MACHINES.items():
        name = size.removeprefix("Standard_").replace("_", " ")
        for sku, product, price in (
            (name, "Virtual Machines Series", hourly),
            (name, "Virtual Machines Series Windows", hourly * 1.5),
            (f"{name} Spot", "Virtual Machines Series", hourly / 5),
        ):
            yield _item(region, "Virtual Machines", product, sku, size, sku, "1 Hour", price)
    for tier, monthly in _DISKS.items():
        sku = f"{tier} LRS"
        yield _item(region, "Storage", "Managed Disks", sku, "", f"{sku} Disk", "1/Month", monthly)
        yield _item(region, "Storage", "Managed Disks", sku, "", f"{sku} Disk Mount", "1/Month", monthly / 20)


def _item(
    region: str, service: str, product: str, sku: str, arm_sku: str, meter: str, unit: str, price: float
) -> dict[str, Any]:
    return {
        "currencyCode": "USD",
        "retailPrice": round(price, 6),
        "unitPrice": round(price, 6),
        "armRegionName": region,
        "serviceName": service,
        "productName": product,
        "skuName": sku,
        "armSkuName": arm_sku,
        "meterName": meter,
        "unitOfMeasure": unit,
        "type": "Consumption",
    }
