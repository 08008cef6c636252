"""The sources that a deployment collects costs from: one per account, subscription, project or private cloud.

Nothing of a source is secret. Each is read by the identity that its cloud's target names (`targets.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from lambdas.core.billing.spans import BillingCalendar, WindowStart
from lambdas.core.targets import DEFAULT, TargetName

SourceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]

MOST_SOURCES: Final = 50
"""One execution collects from all of them, and its history must stay far below 25,000 events."""


class Rhythm(NamedTuple):
    """How a source wants to be read.

    A read covers whole units, and `most` at a time. A window is worth reading `lag` after its end; it is read again
    `every` so often while it is younger than `trailing`, `later` so often after that, and for the last time `settled`
    after its billing period has ended: from then on the source changes nothing any more that it billed for the period.

    Where the source forgets details of a window, the last read comes `reach` after its unit began instead; a window
    that is older when it is read for the first time is read once, and closed.
    """

    unit: Literal["hour", "day", "month"]
    most: timedelta
    lag: timedelta
    trailing: timedelta
    every: timedelta
    later: timedelta
    settled: timedelta
    reach: timedelta | None = None


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    name: SourceName
    since: WindowStart
    """The first window that is wanted."""
    target: TargetName = DEFAULT
    """Where, and as whom, the cloud is asked: the name of one of its targets."""


_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


class CostExplorer(_Source):
    """An AWS account by its Cost Explorer, at $0.01 a request; `hourly` where the account has that switched on."""

    kind: Literal["aws-cost-explorer"] = "aws-cost-explorer"
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    tag_keys: tuple[str] = ("skysaga-saga",)
    """One, since GetCostAndUsage groups by no more than two things, and the other one is the service."""
    hourly: bool = False

    @property
    def rhythm(self) -> Rhythm:
        """Refreshed at most three times a day; a bill is final some days after its month.

        Hours reach back 14 days, so that what AWS corrects later is not seen; three less, so that a window's whole day
        can be read, and a read may take its time.
        """
        reach = 11 * _DAY if self.hourly else None
        return Rhythm("day", 7 * _DAY, 4 * _HOUR, 3 * _DAY, 8 * _HOUR, 3 * _DAY, 5 * _DAY, reach)

    @property
    def calendar(self) -> BillingCalendar:
        """Months of UTC."""
        return BillingCalendar()


class DataExport(_Source):
    """An AWS account, or an organization, by a Data Export of the FOCUS table in S3."""

    kind: Literal["aws-data-export"] = "aws-data-export"
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    bucket: str
    prefix: str = ""
    export: str
    bucket_region: str = ""

    @property
    def rhythm(self) -> Rhythm:
        """A month's files are replaced up to three times a day, for two weeks after it; its manifest says whether.

        https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html
        """
        return Rhythm("month", 31 * _DAY, 4 * _HOUR, 3 * _DAY, 4 * _HOUR, _DAY, 14 * _DAY)

    @property
    def calendar(self) -> BillingCalendar:
        """Months of UTC."""
        return BillingCalendar()


class CostQuery(_Source):
    """An Azure subscription by Cost Management's query, which knows days only."""

    kind: Literal["azure-cost-query"] = "azure-cost-query"
    subscription: str

    @property
    def rhythm(self) -> Rhythm:
        """Refreshed about every four hours; open charges may change until 72 hours after the month."""
        return Rhythm("day", 31 * _DAY, 4 * _HOUR, 3 * _DAY, 8 * _HOUR, 3 * _DAY, 5 * _DAY)

    @property
    def calendar(self) -> BillingCalendar:
        """Months of UTC."""
        return BillingCalendar()


class CostExport(_Source):
    """An Azure subscription by an export of the FOCUS dataset in a storage account."""

    kind: Literal["azure-cost-export"] = "azure-cost-export"
    subscription: str
    account_url: Annotated[str, StringConstraints(pattern=r"^https?://")]
    container: str
    directory: str = ""
    export: str

    @property
    def rhythm(self) -> Rhythm:
        """Each run of a day writes the month so far anew, in a folder of its own."""
        return Rhythm("month", 31 * _DAY, 4 * _HOUR, 3 * _DAY, 4 * _HOUR, _DAY, 5 * _DAY)

    @property
    def calendar(self) -> BillingCalendar:
        """Months of UTC."""
        return BillingCalendar()


class BigQueryExport(_Source):
    """A Google project by the billing export of its billing account in BigQuery."""

    kind: Literal["gcp-bigquery"] = "gcp-bigquery"
    project: str
    table: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]+\.[A-Za-z0-9_]+\.[A-Za-z0-9_$-]+$")]
    location: str = "US"

    @property
    def rhythm(self) -> Rhythm:
        """Rows arrive within a day, mostly; an invoice is final about ten days after its month."""
        return Rhythm("hour", 7 * _DAY, 2 * _HOUR, 3 * _DAY, 4 * _HOUR, _DAY, 10 * _DAY)

    @property
    def calendar(self) -> BillingCalendar:
        """Google invoices months of Pacific time."""
        return BillingCalendar("America/Los_Angeles")


class Rates(BaseModel):
    """What an hour costs: of a virtual processor, of a GiB of memory, of a GiB of disk."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    cpu_hour: Decimal = Field(ge=0)
    memory_gb_hour: Decimal = Field(ge=0)
    disk_gb_hour: Decimal = Field(ge=0)


class RateCard(_Source):
    """The private clusters of a target, by what the machines on them cost for every hour they exist."""

    kind: Literal["rate-card"] = "rate-card"
    provider: Literal["vsphere", "scvmm"]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    rates: Rates
    cluster_rates: dict[str, Rates] = Field(default={})
    """Of clusters that cost something else, by name."""

    @property
    def rhythm(self) -> Rhythm:
        """The ledger knows at once; an hour is final when no step of its sagas can be under way any more."""
        return Rhythm("hour", 7 * _DAY, timedelta(), _DAY, 6 * _HOUR, _DAY, timedelta(hours=6))

    @property
    def calendar(self) -> BillingCalendar:
        """Months of UTC."""
        return BillingCalendar()


AnySource = CostExplorer | DataExport | CostQuery | CostExport | BigQueryExport | RateCard

Source = Annotated[AnySource, Field(discriminator="kind")]

Sources = Mapping[str, AnySource]
"""All that is declared, by name."""

_DOCUMENTS: Final = TypeAdapter[dict[str, dict[str, Any]]](
    dict[str, dict[str, Any]], config=ConfigDict(defer_build=True)
)
_SOURCES: Final = TypeAdapter[dict[SourceName, Source]](dict[SourceName, Source], config=ConfigDict(defer_build=True))


def parse_sources(text: str) -> dict[str, AnySource]:
    """The sources as the deployment writes them, JSON `{name: {field: value}}`; raises ValidationError."""
    documents = _DOCUMENTS.validate_json(text)
    return _SOURCES.validate_python({name: {**it, "name": name} for name, it in documents.items()})
