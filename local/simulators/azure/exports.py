"""Runs of a Cost Management export: a bill's month in files of the FOCUS dataset, and the manifest that lists them.

What a run leaves where: https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-improved-exports, and
"About exports" of https://learn.microsoft.com/cloud-computing/finops/toolkit/hubs/data-processing.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from local.simulators.azure.blobs import BlobStorage
from local.simulators.bill import Bill, Charge

_CATEGORIES: Final = {
    "usage": "Usage",
    "purchase": "Purchase",
    "tax": "Tax",
    "credit": "Credit",
    "adjustment": "Adjustment",
}

COLUMNS: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuMeter",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
)


class Export(NamedTuple):
    """An export of a subscription; `rows` is the most in one file, `overwrites` whether a run removes those before."""

    subscription: str
    container: str
    name: str
    directory: str = ""
    format: Literal["csv", "csv.gz"] = "csv.gz"
    rows: int = 1000
    overwrites: bool = False


def run(export: Export, bill: Bill, storage: BlobStorage, month: str) -> str:
    """Export a month (`2026-11`) as it is known now by the storage's clock; the name of the manifest, written last."""
    now = datetime.fromtimestamp(storage.clock.now(), UTC)
    folder = "/".join(filter(None, (export.directory, export.name, _days_of(month))))
    if export.overwrites:
        storage.delete(export.container, f"{folder}/")
    identity = uuid.uuid4()
    stamp = [] if export.overwrites else [f"{now:%Y%m%d%H%M}"]
    place = "/".join((folder, *stamp, str(identity)))
    charges = [it for it in bill.known(export.subscription, now) if it.billing_month == month]
    blobs = []
    for number, first in enumerate(range(0, len(charges), export.rows)):
        name, part = f"{place}/part_0_{number:04d}.{export.format}", charges[first : first + export.rows]
        content = _file(export, part)
        storage.put(export.container, name, content)
        blobs.append({"blobName": name, "byteCount": len(content), "dataRowCount": len(part)})
    manifest = _manifest(export, month, now, str(identity), blobs)
    storage.put(export.container, f"{place}/manifest.json", json.dumps(manifest).encode())
    return f"{place}/manifest.json"


def _manifest(
    export: Export, month: str, now: datetime, identity: str, blobs: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    first, last = _first_and_last(month)
    scope = f"/subscriptions/{export.subscription}"
    return {
        "manifestVersion": "2024-04-01",
        "byteCount": sum(it["byteCount"] for it in blobs),
        "blobCount": len(blobs),
        "dataRowCount": sum(it["dataRowCount"] for it in blobs),
        "exportConfig": {
            "exportName": export.name,
            "resourceId": f"{scope}/providers/Microsoft.CostManagement/exports/{export.name}",
            "dataVersion": "1.2-preview",
            "apiVersion": "2025-03-01",
            "type": "FocusCost",
            "timeFrame": "MonthToDate",
            "granularity": "Daily",
        },
        "deliveryConfig": {
            "partitionData": True,
            "dataOverwriteBehavior": "OverwritePreviousReport" if export.overwrites else "CreateNewReport",
            "fileFormat": "Csv",
            "compressionMode": "gzip" if export.format == "csv.gz" else "none",
            "containerUri": f"{scope}/resourceGroups/costs/providers/Microsoft.Storage/storageAccounts/costs",
            "rootFolderPath": export.directory,
        },
        "runInfo": {
            "executionType": "Scheduled",
            "submittedTime": now.isoformat(),
            "runId": identity,
            "startDate": first.strftime("%Y-%m-%dT00:00:00"),
            "endDate": last.strftime("%Y-%m-%dT00:00:00"),
        },
        "blobs": list(blobs),
    }


def _file(export: Export, charges: Sequence[Charge]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_row(it) for it in charges)
    content = text.getvalue().encode()
    return gzip.compress(content, mtime=0) if export.format == "csv.gz" else content


def _row(charge: Charge) -> dict[str, str]:
    """A charge in FOCUS's columns; what is charged for a part of a day is charged for the day."""
    charged = charge.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first, last = _first_and_last(charge.billing_month)
    scope = f"/subscriptions/{charge.account}"
    return {
        **_quantities(charge),
        **dict.fromkeys(("BilledCost", "ContractedCost", "EffectiveCost", "ListCost"), _number(charge.amount)),
        "BillingAccountId": scope,
        "BillingAccountName": "Simulated",
        "BillingAccountType": "Subscription",
        "BillingCurrency": charge.currency,
        "BillingPeriodEnd": _moment(last + timedelta(days=1)),
        "BillingPeriodStart": _moment(first),
        "ChargeCategory": _CATEGORIES[charge.kind],
        "ChargeClass": "Correction" if charge.corrects else "",
        "ChargeDescription": f"{charge.service} - {charge.sku}",
        "ChargePeriodEnd": _moment(charged + timedelta(days=1)),
        "ChargePeriodStart": _moment(charged),
        **dict.fromkeys(("InvoiceIssuerName", "ProviderName", "PublisherName"), "Microsoft"),
        **dict.fromkeys(("RegionId", "RegionName"), charge.region),
        "ResourceId": charge.resource,
        "ResourceName": charge.resource.rpartition("/")[2],
        "ResourceType": "Virtual machine" if charge.resource else "",
        "ServiceCategory": "Compute",
        "ServiceName": charge.service,
        "SubAccountId": scope,
        "SubAccountName": "Simulated",
        "SubAccountType": "Subscription",
        "Tags": json.dumps(dict(charge.tags)) if charge.tags else "",
    }


def _quantities(charge: Charge) -> dict[str, str]:
    if charge.kind not in ("usage", "purchase"):
        return {}
    used = charge.kind == "usage"
    return {
        "ChargeFrequency": "Usage-Based" if used else "One-Time",
        "ConsumedQuantity": _number(charge.quantity) if used else "",
        "ConsumedUnit": charge.unit if used else "",
        "PricingCategory": "Standard",
        "PricingQuantity": _number(charge.quantity),
        "PricingUnit": charge.unit,
        "SkuId": charge.sku,
        "SkuMeter": charge.sku,
    }


def _number(value: Decimal) -> str:
    return format(value, "f")


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")


def _first_and_last(month: str) -> tuple[datetime, datetime]:
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _days_of(month: str) -> str:
    first, last = _first_and_last(month)
    return f"{first:%Y%m%d}-{last:%Y%m%d}"
