"""The lines of a bill as Cost Explorer sees them: each with its dimensions, its tags and the hour it is shown in.

What corrects an earlier month is a refund, and is shown where the month begins that it is billed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, Self

from local.simulators.aws_billing.errors import invalid
from local.simulators.bill import Charge

_RECORD_TYPES: Final[Mapping[str, str]] = {
    "usage": "Usage",
    "purchase": "RIFee",
    "tax": "Tax",
    "credit": "Credit",
    "adjustment": "Refund",
}


def shown_at(charge: Charge) -> datetime:
    """When a charge is shown: as it was incurred, or where the month begins that it is billed in."""
    billed = datetime.strptime(charge.billing_month, "%Y-%m").replace(tzinfo=UTC)
    return max(charge.start, billed)


class Line(NamedTuple):
    """One charge, by what can be asked of it."""

    at: datetime
    dimensions: Mapping[str, str]
    tags: Mapping[str, str]
    amount: Decimal
    quantity: Decimal
    currency: str

    @classmethod
    def of(cls, charge: Charge) -> Self:
        """Show a charge as Cost Explorer does."""
        return cls(
            shown_at(charge),
            {
                "LINKED_ACCOUNT": charge.account,
                "RECORD_TYPE": "Refund" if charge.corrects else _RECORD_TYPES[charge.kind],
                "REGION": charge.region,
                "SERVICE": charge.service,
                "USAGE_TYPE": charge.sku,
            },
            charge.tags,
            charge.amount,
            charge.quantity,
            charge.currency,
        )

    def matches(self, expression: Mapping[str, Any]) -> bool:
        """Whether a filter's expression lets it through; raises CostExplorerError for one that it cannot play."""
        match expression:
            case {"And": parts}:
                return all(self.matches(part) for part in parts)
            case {"Or": parts}:
                return any(self.matches(part) for part in parts)
            case {"Not": part}:
                return not self.matches(part)
            case {"Dimensions": {"Key": key, "Values": values}}:
                return self._dimension(key) in values
            case {"Tags": {"Key": key, "Values": values}}:
                return self.tags.get(key, "") in values
            case _:
                raise invalid(f"Filter expression is not supported here: {expression}")

    def key(self, group: Mapping[str, str]) -> str:
        """What it is grouped under."""
        match group:
            case {"Type": "DIMENSION", "Key": key}:
                return self._dimension(key)
            case {"Type": "TAG", "Key": key}:
                return f"{key}${self.tags.get(key, '')}"
            case _:
                raise invalid(f"Group is not supported here: {group}")

    def _dimension(self, key: str) -> str:
        if key not in self.dimensions:
            raise invalid(f"Dimension is not supported here: {key}")
        return self.dimensions[key]
