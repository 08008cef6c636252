"""What one machine collects costs from: its own clouds, which bill what they hold, and two days that came before.

A template is made before anybody knows when it is deployed, so what is deployed is told afterwards since when there are
costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final, Literal, NamedTuple

from local.aws.clients import create_client
from local.simulators.bill import Charge

HISTORY: Final = timedelta(days=2)
"""How much of the past is on the bill of a machine that has just begun, so that there is something to look at.

It begins at midnight: some sources know days only, and a day of which only a part is wanted is not.
"""

_PARAMETER: Final = "/skysaga/billing/sources"
_SOME_TIME: Final = "2026-01-01T00:00:00Z"
_HOUR: Final = timedelta(hours=1)
_RATES: Final = {"cpu_hour": "0.021", "memory_gb_hour": "0.0035", "disk_gb_hour": "0.00012"}


def declared(account: str, subscription: str, project: str) -> Mapping[str, Any]:
    """The CDK context `billing` of this machine."""
    table = f"{project}.billing.gcp_billing_export_resource_v1_000000_000000_000000"
    sources: dict[str, dict[str, Any]] = {
        "aws": {"kind": "aws-cost-explorer", "account": account},
        "azure": {"kind": "azure-cost-query", "subscription": subscription},
        "gcp": {"kind": "gcp-bigquery", "project": project, "table": table},
        "vcenter": {"kind": "rate-card", "provider": "vsphere", "currency": "EUR", "rates": _RATES},
        "vmm": {"kind": "rate-card", "provider": "scvmm", "currency": "EUR", "rates": _RATES},
    }
    return {"sources": {name: {**it, "since": _SOME_TIME} for name, it in sources.items()}}


def point_sources(endpoint: str, region: str, now: datetime) -> None:
    """Tell what is deployed that costs are wanted from two days ago on; nothing where no source is."""
    parameters = create_client("ssm", endpoint, region)
    since = _beginning(now)
    for parameter in parameters.get_parameters(Names=[_PARAMETER])["Parameters"]:
        sources = json.loads(parameter["Value"])
        moved = {name: {**it, "since": since.isoformat()} for name, it in sources.items()}
        parameters.put_parameter(Name=_PARAMETER, Value=json.dumps(moved), Type=parameter["Type"], Overwrite=True)


class _Habit(NamedTuple):
    """Something that an account has had all along."""

    provider: Literal["aws", "azure", "gcp"]
    service: str
    sku: str
    hourly: str
    team: str


_HABITS: Final = (
    _Habit("aws", "Amazon Elastic Compute Cloud - Compute", "BoxUsage:m5.large", "0.096", "payments"),
    _Habit("aws", "Amazon Simple Storage Service", "TimedStorage-ByteHrs", "0.0113", "payments"),
    _Habit("azure", "Virtual Machines", "D2s v5", "0.0960", "search"),
    _Habit("azure", "Storage", "P10 LRS Disk", "0.0270", "search"),
    _Habit("gcp", "Compute Engine", "E2 Instance Core", "0.0436", "search"),
    _Habit("gcp", "Cloud Storage", "Standard Storage", "0.0078", "data"),
)


def history(now: datetime, accounts: Mapping[str, str]) -> Iterator[Charge]:
    """What `accounts`, by provider, were charged for since two days ago; the same for the same hour."""
    random = Random(7)  # noqa: S311 -- a sample, nothing secret
    first = _beginning(now)
    for number in range((now - first) // _HOUR):
        start = first + number * _HOUR
        for habit in _HABITS:
            quantity = Decimal(random.randint(1, 4))
            yield Charge(
                id=f"history/{habit.sku}/{start:%Y-%m-%dT%H}",
                provider=habit.provider,
                account=accounts[habit.provider],
                service=habit.service,
                sku=habit.sku,
                region="",
                resource=f"history/{habit.team}",
                start=start,
                end=start + _HOUR,
                quantity=quantity,
                unit="Hours",
                amount=quantity * Decimal(habit.hourly),
                currency="USD",
                known_at=start + _HOUR,
                billing_month=f"{start:%Y-%m}",
                tags={"team": habit.team},
            )


def _beginning(now: datetime) -> datetime:
    return (now - HISTORY).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
