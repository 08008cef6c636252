"""What a write to the ledger is worth telling: a notice where a status has changed, and figures about what it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final, Literal, NamedTuple

from lambdas.core.model import Resource, Saga
from lambdas.core.notices import Notice, resource_changed, saga_changed
from lambdas.core.states import ENDINGS, ResourceStatus, SagaStatus

SAGAS_ENDED: Final = "SagasEnded"
SAGA_SECONDS: Final = "SagaSeconds"
TIME_TO_READY: Final = "TimeToReady"
TIME_TO_ROLLED_BACK: Final = "TimeToRolledBack"
RETRIES: Final = "Retries"
FAULTS_RECOVERED: Final = "FaultsRecovered"

_ARRIVED: Final = frozenset({ResourceStatus.READY, ResourceStatus.ABSENT})


class SagaWritten(NamedTuple):
    """A header as it was, if it was, and as it was written at some moment."""

    before: Saga | None
    after: Saga
    at: datetime


class ResourceWritten(NamedTuple):
    """A resource as it was, if it was, and as it was written at some moment."""

    before: Resource | None
    after: Resource
    at: datetime


Written = SagaWritten | ResourceWritten


class Named(NamedTuple):
    """What a saga's request says of it, which never changes."""

    name: str
    labels: Mapping[str, str]


class Figure(NamedTuple):
    """A value of a metric, in its unit, by the dimensions that it has besides the service."""

    metric: str
    value: float
    unit: Literal["Count", "Seconds"]
    dimensions: Mapping[str, str]


def notice_of(written: Written, named: Callable[[str], Named]) -> Notice | None:
    """The notice that a write is worth; `named` knows sagas by their id. A status that stays is worth none.

    Neither is that a divided saga's resource is planned: it is written before its saga, of which nobody knows yet.
    """
    before, after, at = written
    if before is not None and before.status == after.status:
        return None
    if isinstance(written, SagaWritten):
        return saga_changed(written.before, written.after, at)
    if written.before is None and written.after.position is not None:
        return None
    saga = named(written.after.saga_id)
    return resource_changed(written.before, written.after, saga.name, saga.labels, at)


def figures_of(written: Written) -> Iterator[Figure]:
    """The figures that follow from a write."""
    if isinstance(written, SagaWritten):
        yield from _of_saga(written)
    else:
        yield from _of_resource(written)


def _of_saga(written: SagaWritten) -> Iterator[Figure]:
    before, saga, _ = written
    if saga.status not in ENDINGS or (before is not None and before.status is saga.status):
        return
    if saga.status is SagaStatus.NEEDS_ATTENTION and _needed_attention(before):
        return  # every sweep tries again: what is left behind is one failure, not one an hour
    ending = {"ending": saga.status.value}
    yield Figure(SAGAS_ENDED, 1, "Count", ending)
    if saga.finished_at is not None and _in_one_go(before, saga):
        yield Figure(SAGA_SECONDS, (saga.finished_at - saga.created_at).total_seconds(), "Seconds", ending)


def _in_one_go(before: Saga | None, saga: Saga) -> bool:
    """Whether nothing but our own work lies between its submission and this ending.

    How long one was kept is its owner's business, and how long it needed attention a person's.
    """
    return saga.release_goal is not SagaStatus.RELEASED and not _needed_attention(before)


def _needed_attention(before: Saga | None) -> bool:
    return before is not None and before.attention_since is not None


def _of_resource(written: ResourceWritten) -> Iterator[Figure]:
    before, resource, _ = written
    if before is None:
        return
    cloud = {"provider": resource.definition.provider}
    if before.ready_at is None and resource.ready_at and resource.created_at:
        yield Figure(TIME_TO_READY, (resource.ready_at - resource.created_at).total_seconds(), "Seconds", cloud)
    if before.gone_at is None and resource.gone_at and resource.release_began_at:
        seconds = (resource.gone_at - resource.release_began_at).total_seconds()
        yield Figure(TIME_TO_ROLLED_BACK, seconds, "Seconds", cloud)
    if resource.trouble > before.trouble:
        yield Figure(RETRIES, resource.trouble - before.trouble, "Count", cloud)
    if resource.status in _ARRIVED and before.status is not resource.status and before.trouble:
        yield Figure(FAULTS_RECOVERED, before.trouble, "Count", cloud)
