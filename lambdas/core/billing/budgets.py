"""Budgets: how much something may cost, and the shares of it at which somebody wants to know.

A budget counts its own currency and no other: amounts in others are left out, and said to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from lambdas.core.billing.questions import Label, Scope, parse_label

MOST_BUDGETS: Final = 50
"""One query counts for all of them."""

TOTAL: Final = "total"

BudgetName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _a_label(text: str) -> str:
    if parse_label(text) is None:
        raise ValueError("must be key=value")
    return text


def _rising(thresholds: tuple[int, ...]) -> tuple[int, ...]:
    if not thresholds or any(not 1 <= it <= 1000 for it in thresholds):
        raise ValueError("must be some percentages from 1 to 1000")
    return tuple(sorted(set(thresholds)))


class Budget(BaseModel):
    """What costs may come to of everything that all of the given fields apply to; `thresholds` are percentages."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    saga: _Text | None = None
    label: Annotated[_Text, AfterValidator(_a_label)] | None = None
    account: _Text | None = None
    provider: _Text | None = None
    service: _Text | None = None
    source: _Text | None = None
    amount: Annotated[Decimal, Field(gt=0)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    period: Literal["month", "total"] = "month"
    cost: Literal["billed", "effective"] = "billed"
    thresholds: Annotated[tuple[int, ...], AfterValidator(_rising)] = (80, 100)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not self.filters and self.label is None:
            raise ValueError("name what it is for: a saga, label, account, provider, service or source")
        return self

    @property
    def filters(self) -> dict[str, tuple[str, ...]]:
        """What its scope is limited to, besides the label."""
        named = ("saga", "account", "provider", "service", "source")
        return {name: (value,) for name in named if (value := getattr(self, name)) is not None}

    def scope(self, period: str) -> Scope:
        """What it counts in a period: a month, or `total`."""
        label: Label | None = parse_label(self.label) if self.label else None
        return Scope(None, self.filters if period == TOTAL else {**self.filters, "month": (period,)}, label)

    def periods(self, moment: datetime) -> tuple[str, ...]:
        """The periods to look at: this month and the one before, whose last costs arrive in this one."""
        if self.period == TOTAL:
            return (TOTAL,)
        before = (moment.year, moment.month - 1) if moment.month > 1 else (moment.year - 1, 12)
        return f"{before[0]:04}-{before[1]:02}", f"{moment:%Y-%m}"


class Passed(NamedTuple):
    """A threshold of a budget that was passed in a period, what was spent by then, and what that leaves out."""

    name: str
    budget: Budget
    period: str
    threshold: int
    spent: Decimal
    left_out: Mapping[str, Decimal]
    window: str


_BUDGETS: Final = TypeAdapter[dict[BudgetName, Budget]](
    Annotated[dict[BudgetName, Budget], Field(max_length=MOST_BUDGETS)], config=ConfigDict(defer_build=True)
)


def parse_budgets(text: str) -> dict[str, Budget]:
    """The budgets as they are declared, JSON `{name: {field: value}}`; raises ValidationError."""
    return _BUDGETS.validate_json(text)


def thresholds_passed(
    name: str, budget: Budget, period: str, spent: Mapping[str, Decimal], window: str
) -> Iterable[Passed]:
    """Every threshold that what was spent by currency has reached, the lowest first."""
    ours = spent.get(budget.currency, Decimal(0))
    left_out = {currency: amount for currency, amount in sorted(spent.items()) if currency != budget.currency}
    for threshold in budget.thresholds:
        if Fraction(ours) * 100 >= Fraction(budget.amount) * threshold:  # decimals round to 28 digits
            yield Passed(name, budget, period, threshold, ours, left_out, window)
