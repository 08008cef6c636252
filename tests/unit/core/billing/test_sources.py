"""What a deployment may say of sources."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from lambdas.core.billing.sources import RateCard, parse_sources

CARD: dict[str, Any] = {
    "kind": "rate-card",
    "provider": "vsphere",
    "currency": "EUR",
    "since": "2026-01-01T00:00:00Z",
    "rates": {"cpu_hour": "0.0123", "memory_gb_hour": "0.004", "disk_gb_hour": "0.00011"},
}


def test_a_source_has_its_name_and_its_rates_to_the_last_digit() -> None:
    source = parse_sources(json.dumps({"berlin": CARD}))["berlin"]
    assert isinstance(source, RateCard)
    assert source.name == "berlin"
    assert source.rates.cpu_hour == Decimal("0.0123")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "paper"}, "kind"),
        ({"since": "2026-01-01T00:30:00Z"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"currency": "euro"}, "currency"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        parse_sources(json.dumps({"berlin": {**CARD, **change}}))
    assert field in str(raised.value)
