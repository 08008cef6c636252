"""Who answers questions about the costs that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from lambdas.core.billing.questions import Question, Scope


class Amounts(NamedTuple):
    """What something costs in one currency, in FOCUS's four ways; None where its source does not say."""

    billed: Decimal | None
    effective: Decimal | None
    list: Decimal | None
    contracted: Decimal | None


class CostLine(NamedTuple):
    """One group in one currency: `keys` are as the question's groups, None for what has no such thing."""

    keys: tuple[str | None, ...]
    currency: str
    amounts: Amounts


class Answer(NamedTuple):
    """Some lines of an answer, and whether there are more behind them."""

    lines: Sequence[CostLine]
    more: bool


class CostQuery(Protocol):
    """Answers from what is kept. Raises RetryableError, Throttled among them, and Misconfigured for what is broken."""

    def answer(self, question: Question, version: str, start: int, most: int) -> Answer:
        """At most `most` lines from the one numbered `start` on, times first, then what costs most.

        `version` names what is kept now: the same question of the same version is answered once, and the answer kept
        for a while. So who asks for the next lines gets those of the same answer, and who asks again while it is still
        being found, for which RetryableError is raised, does not begin anew.
        """
        ...


class SagaLine(NamedTuple):
    """What a saga costs of what is billed in one month, in one currency, and the end of its newest charge."""

    saga: str
    month: str
    currency: str
    billed: Decimal
    effective: Decimal
    through: datetime


class SpentLine(NamedTuple):
    """What is spent of a scope in one currency."""

    scope: str
    currency: str
    billed: Decimal
    effective: Decimal


class Summary(NamedTuple):
    """What sagas cost, and what is spent of each scope that was asked for."""

    sagas: Sequence[SagaLine]
    spent: Sequence[SpentLine]


class CostSummaries(Protocol):
    """Sums up what is kept. Raises RetryableError, Throttled among them, and Misconfigured."""

    def summary(self, since: str, scopes: Mapping[str, Scope], version: str) -> Summary | None:
        """What sagas cost of what is billed since a month, and what scopes do by name; None while it is being found.

        The same again is never summed up twice.
        """
        ...
