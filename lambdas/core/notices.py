"""What others are told of: the details of the events on the bus, which webhooks carry, too.

Their JSON Schemas are in `docs/events`, made from these classes. Within `version` 1 fields are added and never change
their meaning. Nothing here is secret: no spec, no token, no caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from lambdas.core.billing.budgets import Passed
from lambdas.core.model import Resource, Saga
from lambdas.core.states import ResourceStatus, SagaStatus

Exact = Annotated[Decimal, PlainSerializer(str, return_type=str, when_used="json")]
"""An amount, as text: JSON's numbers may be rounded by whoever reads them."""

_ID: Final = "The same whenever the same is told again: whoever keeps it can drop repeats."


class Notice(BaseModel):
    """What is common to all; `KIND` is the event's detail type."""

    model_config = ConfigDict(
        frozen=True,
        hide_input_in_errors=True,
        extra="forbid",
        json_schema_serialization_defaults_required=True,
        defer_build=True,
    )

    KIND: ClassVar[str]

    version: Literal[1] = Field(default=1, description="Of what these fields mean; others may be added to them.")
    id: str = Field(description=_ID)


class SagaChanged(Notice):
    """A saga was opened, or its status is another."""

    KIND: ClassVar[str] = "Saga changed"

    at: datetime = Field(description="When that was, to the second.")
    saga: str = Field(description="The saga's id.")
    name: str = Field(description="What its request calls it.")
    labels: Mapping[str, str] = Field(description="Those of its request.")
    status: SagaStatus
    before: SagaStatus | None = Field(description="What it was before; null when the saga was opened.")
    created_at: datetime
    finished_at: datetime | None = Field(description="When it came to the ending that it is in, if it is in one.")
    expires_at: datetime | None = Field(description="When it is released by itself, if it is to be.")
    cancel_requested: bool = Field(description="Whether somebody asked to have it undone before it was committed.")


class ResourceChanged(Notice):
    """The status of one resource is another."""

    KIND: ClassVar[str] = "Resource changed"

    at: datetime = Field(description="When that was, to the second.")
    saga: str = Field(description="The id of its saga.")
    name: str = Field(description="What the saga's request calls the saga.")
    labels: Mapping[str, str] = Field(description="Those of the saga's request.")
    resource: str = Field(description="Its id in the request.")
    provider: str = Field(description="The cloud: aws, azure, gcp, vsphere or scvmm.")
    kind: str = Field(description="instance or disk.")
    status: ResourceStatus
    before: ResourceStatus | None = Field(
        description="What it was before; null when its saga was opened, as is told of one with 50 resources at most."
    )
    cluster: str | None = Field(description="Where it was placed last; null on a public cloud.")
    cloud_id: str | None = Field(description="What its cloud calls it, as soon as that is known.")
    error: str | None = Field(description="Why it failed or is stuck, as the API shows it.")


class LeftOut(BaseModel):
    """What was spent in a currency that the budget does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    currency: str
    spent: Exact


class BudgetPassed(Notice):
    """What was spent has reached a threshold of a budget."""

    KIND: ClassVar[str] = "Budget passed"

    budget: str = Field(description="The budget's name.")
    scope: Mapping[str, str] = Field(description="What it counts: a saga, label, account, provider, service or source.")
    period: str = Field(description="The month, as 2026-11, or total.")
    threshold: int = Field(description="In percent of the amount.")
    cost: Literal["billed", "effective"] = Field(description="Which cost it counts.")
    spent: Exact
    amount: Exact
    currency: str
    left_out: Sequence[LeftOut] = Field(description="What was spent in other currencies, which it does not count.")
    window: str = Field(description="The collection that found it.")


NOTICES: Final[tuple[type[Notice], ...]] = (SagaChanged, ResourceChanged, BudgetPassed)
"""Everything that is told."""


def saga_changed(before: Saga | None, saga: Saga, at: datetime) -> SagaChanged:
    """That `saga` is no longer what it was `before`; told by the number of the write."""
    return SagaChanged(
        id=f"{saga.id}/{saga.version}",
        at=at,
        saga=saga.id,
        name=saga.name,
        labels=saga.labels,
        status=saga.status,
        before=before.status if before else None,
        created_at=saga.created_at,
        finished_at=saga.finished_at,
        expires_at=saga.expires_at,
        cancel_requested=saga.cancel_requested,
    )


def resource_changed(
    before: Resource | None, resource: Resource, name: str, labels: Mapping[str, str], at: datetime
) -> ResourceChanged:
    """That `resource` of the saga with this name and labels is no longer what it was `before`."""
    return ResourceChanged(
        id=f"{resource.saga_id}/{resource.id}/{resource.revision}",
        at=at,
        saga=resource.saga_id,
        name=name,
        labels=labels,
        resource=resource.id,
        provider=resource.definition.provider,
        kind=resource.definition.kind,
        status=resource.status,
        before=before.status if before else None,
        cluster=resource.cluster,
        cloud_id=resource.cloud_id,
        error=resource.error,
    )


def budget_passed(passed: Passed) -> BudgetPassed:
    """That a threshold of a budget was passed."""
    budget = passed.budget
    scope = {name: values[0] for name, values in budget.filters.items()}
    return BudgetPassed(
        id=f"{passed.name}/{passed.period}/{passed.threshold}",
        budget=passed.name,
        scope={**scope, **({"label": budget.label} if budget.label else {})},
        period=passed.period,
        threshold=passed.threshold,
        cost=budget.cost,
        spent=passed.spent,
        amount=budget.amount,
        currency=budget.currency,
        left_out=[LeftOut(currency=currency, spent=it) for currency, it in passed.left_out.items()],
        window=passed.window,
    )
