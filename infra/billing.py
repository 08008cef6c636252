"""What a deployment declares to collect costs from, and what may be spent, read from the CDK context `billing`.

`{"sources": {NAME: {"kind": "aws-cost-explorer", "since": "2026-11-01T00:00:00Z", ...}}, "budgets": {NAME: {...}}}`;
what else they may have stands in the classes below, and in docs/operations.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from constructs import Construct
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from infra.clouds import PRIVATE_CLOUDS, PUBLIC_CLOUDS
from infra.declaration import parsed
from infra.private_clouds import PrivateClouds, encrypted_or_local
from infra.targets import DEFAULT, MOST_BYTES, Name, ProjectId, Targets, Uuid

MOST_SOURCES: Final = 50
"""One execution collects from all of them."""

MOST_BUDGETS: Final = 50
"""One query counts for all of them."""


def _whole_hour(moment: datetime) -> datetime:
    if moment.minute or moment.second or moment.microsecond:
        raise ValueError("must be a whole hour, like 2026-11-01T00:00:00Z")
    return moment.astimezone(UTC)


Hour = Annotated[AwareDatetime, AfterValidator(_whole_hour)]
Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/!_.'()=-]*$", max_length=512)]
"""Of an object, or its beginning; without the characters that IAM takes for wildcards and variables."""

Label = Annotated[str, StringConstraints(pattern=r"^[^=]+=.*$", max_length=256)]
"""`key=value`."""

Percentage = Annotated[int, Field(ge=1, le=1000)]
BudgetName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Region = Annotated[str, StringConstraints(pattern=r"^([a-z]{2}(-[a-z]+)+-[0-9])?$")]
Server = Annotated[str, StringConstraints(max_length=255), AfterValidator(encrypted_or_local)]
Table = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]+\.[A-Za-z0-9_]+\.[A-Za-z0-9_$-]+$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Rate = Annotated[Decimal, Field(ge=0)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Source(_Declared):
    """`since` is the first hour that is wanted; `target` is where, and as whom, the cloud is asked."""

    since: Hour
    target: Name = DEFAULT


class CostExplorer(_Source):
    """An AWS account by its Cost Explorer."""

    kind: Literal["aws-cost-explorer"]
    account: Account
    tag_keys: tuple[Text] = ("skysaga-saga",)
    hourly: bool = False

    @property
    def bills(self) -> tuple[str, str]:
        """What it says the costs of."""
        return "aws", self.account


class DataExport(_Source):
    """An AWS account, or an organization, by a Data Export of the FOCUS table in S3."""

    kind: Literal["aws-data-export"]
    account: Account
    bucket: Bucket
    prefix: Key = ""
    export: Text
    bucket_region: Region = ""

    @property
    def bills(self) -> tuple[str, str]:
        """What it says the costs of."""
        return "aws", self.account


class CostQuery(_Source):
    """An Azure subscription by Cost Management's query."""

    kind: Literal["azure-cost-query"]
    subscription: Uuid

    @property
    def bills(self) -> tuple[str, str]:
        """What it says the costs of."""
        return "azure", self.subscription.lower()


class CostExport(_Source):
    """An Azure subscription by an export of the FOCUS dataset in a storage account."""

    kind: Literal["azure-cost-export"]
    subscription: Uuid
    account_url: Server
    container: Text
    directory: Key = ""
    export: Text

    @property
    def bills(self) -> tuple[str, str]:
        """What it says the costs of."""
        return "azure", self.subscription.lower()


class BigQueryExport(_Source):
    """A Google project by the billing export of its billing account in BigQuery."""

    kind: Literal["gcp-bigquery"]
    project: ProjectId
    table: Table
    location: Text = "US"

    @property
    def bills(self) -> tuple[str, str]:
        """What it says the costs of."""
        return "gcp", self.project


class Rates(_Declared):
    """What an hour costs: of a virtual processor, of a GiB of memory, of a GiB of disk."""

    cpu_hour: Rate
    memory_gb_hour: Rate
    disk_gb_hour: Rate


class RateCard(_Source):
    """The private clusters of a target, by what the machines on them cost for every hour they exist."""

    kind: Literal["rate-card"]
    provider: Literal["vsphere", "scvmm"]
    currency: Currency
    rates: Rates
    cluster_rates: dict[Name, Rates] = {}

    @property
    def bills(self) -> tuple[str, str]:
        """What it says the costs of."""
        return self.provider, self.target


AnySource = CostExplorer | DataExport | CostQuery | CostExport | BigQueryExport | RateCard
Source = Annotated[AnySource, Field(discriminator="kind")]


class Budget(_Declared):
    """What all that is of a saga, carries a label and so on may cost, and at which percentages somebody is told."""

    saga: Text | None = None
    label: Label | None = None
    account: Text | None = None
    provider: Text | None = None
    service: Text | None = None
    source: Text | None = None
    amount: Annotated[Decimal, Field(gt=0)]
    currency: Currency
    period: Literal["month", "total"] = "month"
    cost: Literal["billed", "effective"] = "billed"
    thresholds: Annotated[tuple[Percentage, ...], Field(min_length=1)] = (80, 100)

    @property
    def is_of_something(self) -> bool:
        """Whether it says what it is for."""
        return any((self.saga, self.label, self.account, self.provider, self.service, self.source))


class Billing(_Declared):
    """Sources, budgets, and `former` sources: read no more, whose costs since that hour still show."""

    sources: dict[Name, Source] = Field(default={}, max_length=MOST_SOURCES)
    former: dict[Name, Hour] = {}
    budgets: dict[BudgetName, Budget] = Field(default={}, max_length=MOST_BUDGETS)

    @classmethod
    def from_context(cls, scope: Construct, targets: Targets, private_clouds: PrivateClouds) -> Billing:
        """Read the context value `billing`, an object or its JSON, whose targets must be declared, too.

        Raises BadDeclaration.
        """
        value = scope.node.try_get_context("billing")
        return cls.parse({} if value is None else value, targets, private_clouds)

    @classmethod
    def parse(
        cls, value: object, targets: Targets | None = None, private_clouds: PrivateClouds | None = None
    ) -> Billing:
        """What a document or its JSON declares; raises BadDeclaration."""
        known = _target_names(targets or Targets(), private_clouds or PrivateClouds({}))
        return parsed(cls, "billing", value, lambda it: [*it._mistakes(), *it._unknown_targets(known)])

    def of_kind(self, *kinds: str) -> list[AnySource]:
        """The sources of some kinds."""
        return [it for it in self.sources.values() if it.kind in kinds]

    @property
    def names(self) -> list[str]:
        """Every source that costs are kept of."""
        return sorted({*self.sources, *self.former})

    @property
    def beginning(self) -> datetime:
        """The first hour that any of them has costs of."""
        return min([*(it.since for it in self.sources.values()), *self.former.values()])

    @property
    def sources_parameter(self) -> str:
        """The value of the SSM parameter with the sources: as `lambdas.core.billing.sources` reads it."""
        return _json(self.sources)

    @property
    def budgets_parameter(self) -> str:
        """The value of the SSM parameter with the budgets."""
        return _json(self.budgets)

    def _mistakes(self) -> list[str]:
        found = []
        first: dict[tuple[str, str], str] = {}
        for name, source in self.sources.items():
            where = f"billing.sources.{name}"
            other = first.setdefault(source.bills, name)
            if other != name:
                found.append(f"{where}: bills the same as {other!r}, whose costs would be counted twice; keep one")
            if name in self.former:
                found.append(f"{where}: is among the former sources, too; take it off there")
        if self.former and not self.sources:
            found.append("billing.former: there is nothing to collect from; declare a source")
        if self.budgets and not self.sources:
            found.append("billing.budgets: nothing says what is spent; declare a source")
        for name, budget in self.budgets.items():
            where = f"billing.budgets.{name}"
            if not budget.is_of_something:
                found.append(f"{where}: name what it is for: a saga, label, account, provider, service or source")
            if budget.source is not None and budget.source not in self.names:
                found.append(f"{where}.source: {budget.source!r} is not declared; add it to billing.sources")
        return [*found, *self._too_long()]

    def _too_long(self) -> list[str]:
        sizes = {
            "sources": len(self.sources_parameter.encode()),
            "budgets": len(self.budgets_parameter.encode()),
        }
        return [
            f"billing.{name}: {size} bytes; an SSM parameter holds {MOST_BYTES}"
            for name, size in sizes.items()
            if size > MOST_BYTES
        ]

    def _unknown_targets(self, known: Mapping[str, Collection[str]]) -> list[str]:
        found = []
        for name, source in self.sources.items():
            cloud, _ = source.bills
            if source.target not in known[cloud]:
                place = "private_clouds" if isinstance(source, RateCard) else f"targets.{cloud}"
                where = f"billing.sources.{name}.target"
                found.append(f"{where}: {cloud} has no target {source.target!r}; declare it in {place}")
        return found


def _target_names(targets: Targets, private_clouds: PrivateClouds) -> dict[str, Collection[str]]:
    """The targets that there are on each cloud; a public one's default is what the other settings name."""
    public = {cloud: {DEFAULT, *getattr(targets, cloud)} for cloud in PUBLIC_CLOUDS}
    private = {cloud: set(json.loads(private_clouds.targets(cloud))) for cloud in PRIVATE_CLOUDS}
    return {**public, **private}


def roles_of(sources: Sequence[AnySource], targets: Targets) -> list[str]:
    """The roles to assume in order to read some sources of AWS."""
    named = {it.target for it in sources if it.target != DEFAULT}
    return [targets.aws[name].role_arn for name in sorted(named)]


def _json(documents: Mapping[str, BaseModel]) -> str:
    written = {name: it.model_dump(mode="json", exclude_defaults=True) for name, it in documents.items()}
    return json.dumps(written, separators=(",", ":"), sort_keys=True)
