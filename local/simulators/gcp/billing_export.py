"""A bill as Google's billing export spells it: rows of the detailed usage cost table, as `TO_JSON_STRING` gives them.

The schema: https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/detailed-usage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from local.simulators.bill import Charge, ChargeKind

BILLING_ACCOUNT: Final = "01A2B3-C4D5E6-F7A8B9"
PACIFIC: Final = ZoneInfo("America/Los_Angeles")

_COST_TYPES: Final[Mapping[ChargeKind, str]] = {"tax": "tax", "adjustment": "adjustment"}


def begins(charge: Charge) -> datetime:
    """When its usage began, or the month of its invoice where that is later."""
    year, month = map(int, charge.billing_month.split("-"))
    return max(charge.start, datetime(year, month, 1, tzinfo=PACIFIC).astimezone(UTC))


def exported(charge: Charge) -> dict[str, Any]:
    """The row; a credit stands beside a cost of nothing, and a commitment's fee is known by its SKU."""
    credit = charge.kind == "credit"
    sku = f"Commitment v1: {charge.sku}" if charge.kind == "purchase" else charge.sku
    quantity = Decimal(0) if credit else charge.quantity
    return {
        "billing_account_id": BILLING_ACCOUNT,
        "invoice": {"month": charge.billing_month.replace("-", ""), "publisher_type": "GOOGLE"},
        "cost_type": _COST_TYPES.get(charge.kind, "regular"),
        "service": {"id": f"services/{charge.service}", "description": charge.service},
        "sku": {"id": charge.sku, "description": sku},
        "usage_start_time": _timestamp(charge.start),
        "usage_end_time": _timestamp(charge.end),
        "project": {"id": charge.account, "number": "1", "name": charge.account, "labels": []},
        "labels": [{"key": key, "value": value} for key, value in charge.tags.items()],
        "system_labels": [],
        "tags": [],
        "location": {"location": charge.region, "region": charge.region or None, "zone": None},
        "resource": _resource(charge),
        "cost": _number(Decimal(0) if credit else charge.amount),
        "currency": charge.currency,
        "currency_conversion_rate": 1,
        "usage": {
            "amount": _number(quantity),
            "unit": charge.unit,
            "amount_in_pricing_units": _number(quantity),
            "pricing_unit": charge.unit,
        },
        "credits": [_promotion(charge)] if credit else [],
        "adjustment_info": _adjustment(charge),
        "export_time": _timestamp(charge.known_at),
        "cost_at_list": None,
        "transaction_type": "GOOGLE",
        "seller_name": None,
        "subscription": {"instance_id": None},
    }


def document(charge: Charge) -> str:
    """The row as text."""
    return json.dumps(exported(charge))


def _resource(charge: Charge) -> dict[str, Any]:
    path = f"//compute.googleapis.com/projects/{charge.account}/zones/{charge.region}-b/instances/{charge.resource}"
    return {"name": charge.resource or None, "global_name": path if charge.resource else None}


def _promotion(charge: Charge) -> dict[str, Any]:
    name = {"id": "promotion", "name": charge.sku, "full_name": charge.sku}
    return {**name, "type": "PROMOTION", "amount": _number(charge.amount)}


def _adjustment(charge: Charge) -> dict[str, Any]:
    if charge.kind != "adjustment" and not charge.corrects:
        return dict.fromkeys(("id", "mode", "type", "description"))
    return {"id": charge.id, "mode": "PARTIAL_CORRECTION", "type": "USAGE_CORRECTION", "description": "Correction"}


def _number(amount: Decimal) -> float | str:
    """A number where a double holds it exactly as it is written, or else a string, as BigQuery does with NUMERIC."""
    return float(amount) if Decimal(repr(float(amount))) == amount else str(amount)


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
