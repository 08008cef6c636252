"""What is remembered of summaries: the cost of each saga, and which thresholds of budgets were passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from lambdas.core.billing.budgets import Budget, Passed
from lambdas.core.billing.spans import Span
from lambdas.core.ports.cost_query import SagaLine


class CurrencyCost(NamedTuple):
    """What a saga costs in one currency so far, and the end of its newest charge in any."""

    currency: str
    billed: Decimal
    effective: Decimal
    through: datetime


class SagaCost(NamedTuple):
    """What a saga costs, as the summary of `window` found it, while these sources were late."""

    costs: Sequence[CurrencyCost]
    window: str
    late: Sequence[str]


class SagaCosts(Protocol):
    """The cost of each saga, as the last summary found it; raises RetryableError."""

    def of(self, saga_id: str) -> SagaCost | None:
        """What a saga costs; None when nothing is known of it."""
        ...


class Summaries(Protocol):
    """Where summaries are written; raises RetryableError."""

    def keep(
        self,
        window: str,
        months: Sequence[str],
        lines: Sequence[SagaLine],
        late: Sequence[str],
        closed: Mapping[str, Span],
    ) -> None:
        """Let sagas cost what the lines say of these months; a saga of which they say nothing costs nothing in them.

        `closed` is what of each source was closed by then. What the summary of a later window has written stays.
        """
        ...

    def closed(self) -> Mapping[str, Span]:
        """What of each source was closed as of the last summary; nothing before the first one."""
        ...

    def note_passed(self, passed: Passed) -> bool:
        """Note that a threshold was passed, once; returns whether that has still to be announced."""
        ...

    def note_announced(self, passed: Passed) -> None:
        """Note that it was."""
        ...


class BudgetDeclarations(Protocol):
    """What the deployment says of budgets."""

    def declared(self) -> Mapping[str, Budget]:
        """All of them by name, as of now; raises Misconfigured or RetryableError."""
        ...
