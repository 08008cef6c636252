"""What a request asks of a cloud's quotas, and what they leave: the arithmetic of refusing before the first create.

A preflight is a look, not a reservation: what is enough now may be taken a moment later, and then the saga is undone as
ever. So it refuses only what it knows to be impossible: a quota that is not known refuses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict

from lambdas.core.errors import StepError

QUOTA_EXCEEDED: Final = "QuotaExceeded"

MOST_KINDS: Final = 100
"""Kinds of things that are refused one by one in a check: an answer about thousands of them fits into a function's."""

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Quota(NamedTuple):
    """A limit of an account: its name as the cloud has it, and the region or zone in which it holds."""

    name: str
    location: str


class Demand(NamedTuple):
    """What one resource takes of a quota, in the quota's own unit."""

    resource_id: str
    quota: Quota
    amount: float


class Allowance(NamedTuple):
    """How much of a quota there is, and how much of it is used already; a negative limit is none."""

    limit: float
    used: float


class Shortage(BaseModel):
    """Why resources cannot be created as things stand: one quota that is too small for them, or one refusal.

    `needed` and `available` are in the quota's unit; a refusal of another kind has neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    resources: tuple[str, ...]
    location: str
    code: str
    message: str
    needed: float | None = None
    available: float | None = None


def exceeded(demands: Sequence[Demand], allowances: Mapping[Quota, Allowance]) -> list[Shortage]:
    """The quotas that are too small for all that is asked of them together, each with everybody who asks."""
    return [
        _shortage(quota, asking, allowances[quota])
        for quota, asking in grouped(demands, lambda demand: demand.quota).items()
        if quota in allowances and _is_short(asking, allowances[quota])
    ]


def refused(resource_ids: Iterable[str], location: str, error: StepError) -> Shortage:
    """The shortage that stands for a cloud's saying that it would not create resources, all alike."""
    return Shortage(resources=tuple(resource_ids), location=location, code=error.code, message=str(error))


def grouped(things: Iterable[T], kind: Callable[[T], K]) -> dict[K, list[T]]:
    """Things by what kind they are of, all in the order given: a cloud is asked once for each kind."""
    found: dict[K, list[T]] = {}
    for thing in things:
        found.setdefault(kind(thing), []).append(thing)
    return found


def errors_by_resource(shortages: Sequence[Shortage]) -> dict[str, str]:
    """What is to stand on each resource as its error: all of its shortages in one line."""
    errors: dict[str, list[str]] = {}
    for shortage in shortages:
        for resource_id in shortage.resources:
            errors.setdefault(resource_id, []).append(shortage.message)
    return {resource_id: "; ".join(messages) for resource_id, messages in errors.items()}


def representatives(shortages: Sequence[Shortage], most: int) -> tuple[str, ...]:
    """At most so many of the resources that are short: one for each shortage first, then whoever else there is."""
    first = (shortage.resources[0] for shortage in shortages if shortage.resources)
    others = (resource_id for shortage in shortages for resource_id in shortage.resources)
    return tuple(islice(dict.fromkeys(chain(first, others)), most))


def _is_short(asking: Sequence[Demand], allowance: Allowance) -> bool:
    return 0 <= allowance.limit < allowance.used + sum(demand.amount for demand in asking)


def _shortage(quota: Quota, asking: Sequence[Demand], allowance: Allowance) -> Shortage:
    needed = sum(demand.amount for demand in asking)
    available = max(0.0, allowance.limit - allowance.used)
    return Shortage(
        resources=tuple(dict.fromkeys(demand.resource_id for demand in asking)),
        location=quota.location,
        code=QUOTA_EXCEEDED,
        message=f"{QUOTA_EXCEEDED}: {quota.name} in {quota.location}: {needed:g} needed, "
        f"{available:g} left of {allowance.limit:g}",
        needed=needed,
        available=available,
    )
