"""Collects what machines on private clusters cost: by a rate card, from what the ledger knows of them.

The ledger alone decides. It forgets nothing, so that an hour can be read at any time, and comes out the same. What the
clusters report is of one moment, does not say how large a machine is, and is gone with the next report: it is compared,
and a machine that only one of the two knows of is named in the log and counted, never charged for by guess. One that
should not be there is the sweep's to remove.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from lambdas.adapters import clients
from lambdas.adapters.clock import SystemClock
from lambdas.adapters.clusters import DynamoClusters
from lambdas.adapters.collecting import collect_handler
from lambdas.adapters.ledger import DynamoLedger
from lambdas.adapters.observability import gauge, logger
from lambdas.adapters.settings import LedgerSettings
from lambdas.core.billing.rates import COMPONENTS, Machine, charges
from lambdas.core.billing.sources import AnySource, RateCard
from lambdas.core.billing.spans import HOUR, Span, window_name, window_named
from lambdas.core.clusters import needed
from lambdas.core.errors import CursorExpired, SagaNotFound, TerminalError
from lambdas.core.model import Intent, Resource, Saga
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.clusters import Clusters, Machines
from lambdas.core.ports.costs import CostSource, Page, Rows, Unchanged
from lambdas.core.ports.ledger import History, Ledger
from lambdas.core.ports.provider import Marked
from lambdas.core.preflight import grouped
from lambdas.core.specs import PrivateInstance
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.paging import pages

PAGE_ROWS: Final = 20_000
"""About, of a page; it holds an hour at least, and a day at most."""

_LONGEST: Final = 24 * HOUR
_MOST_NAMED: Final = 20


class Books(Ledger, History, Protocol):
    """The ledger, and what there was on private clusters."""


class Discrepancies(NamedTuple):
    """What the ledger and the clusters' reports do not agree on: machines as `saga/resource`."""

    not_charged: tuple[str, ...]
    not_reported: tuple[str, ...]


class _Seen(NamedTuple):
    """What a cluster reported to hold, as `saga, resource`, and when."""

    at: datetime
    machines: frozenset[tuple[str, str]]


class RateCardCosts:
    """What the machines on the private clusters of a target cost; a CostSource."""

    def __init__(
        self,
        card: RateCard,
        ledger: Books,
        clusters: Clusters,
        clock: Clock,
        notice: Callable[[RateCard, Discrepancies], None],
        page_rows: int = PAGE_ROWS,
    ) -> None:
        self._card = card
        self._ledger = ledger
        self._clusters = clusters
        self._clock = clock
        self._notice = notice
        self._page_rows = page_rows
        self._sagas: dict[str, Saga] = {}

    def page(self, span: Span, cursor: str | None, unless: datetime | None) -> Page | Unchanged:
        """Some hours of the span, all of what was there in them; the cursor is the first of the next hours."""
        start = _start(span, cursor)
        known = self._lived(start)
        lived = [it for it in known if it.ready_at and it.ready_at < min(start + _LONGEST, span.end)]
        end = min(start + self._hours(len(lived)), span.end)
        if cursor is None and self._clock.now() - span.end < HOUR:
            self._compare(known)
        machines = [self._machine(it) for it in lived]
        rows = list(charges(self._card, machines, Span(start, end)))
        return Page(Rows(rows), window_name(end) if end < span.end else None)

    def _lived(self, since: datetime) -> list[Resource]:
        found = self._ledger.lived(self._card.provider, self._card.target, since)
        return sorted(found, key=lambda it: (it.saga_id, it.id))

    def _hours(self, machines: int) -> timedelta:
        fits = self._page_rows // (len(COMPONENTS) * machines) if machines else _LONGEST // HOUR
        return max(HOUR, min(_LONGEST, fits * HOUR))

    def _machine(self, resource: Resource) -> Machine:
        assert isinstance(resource.definition, PrivateInstance)  # noqa: S101 -- no other has a home
        assert resource.ready_at is not None  # noqa: S101 -- what was never ready has no home
        intent = Intent(
            saga_id=resource.saga_id, definition=resource.definition, labels=self._saga(resource.saga_id).labels
        )
        return Machine(
            id=intent.name,
            name=resource.id,
            cluster=resource.cluster or "",
            amounts=needed(resource.definition.placement),
            tags=intent.marks,
            since=resource.ready_at,
            until=resource.gone_at,
        )

    def _saga(self, saga_id: str) -> Saga:
        """The saga, read once: its labels never change."""
        if saga_id not in self._sagas:
            self._sagas[saga_id] = self._ledger.saga(saga_id)
        return self._sagas[saga_id]

    def _compare(self, known: Sequence[Resource]) -> None:
        """Say what the ledger and the reports do not agree on; `known` are all that lived lately."""
        by_id = {(it.saga_id, it.id): it for it in known}
        not_charged: list[str] = []
        seen: dict[str, _Seen] = {}
        for reported in self._clusters.machines(self._card.provider, self._card.target):
            seen[reported.cluster] = _Seen(reported.at, frozenset(map(_id, reported.machines)))
            others = self._resources([it for it in reported.machines if _id(it) not in by_id])
            not_charged += [
                f"{it.saga_id}/{it.resource_id}"
                for it in reported.machines
                if not self._is_accounted_for(it, reported, by_id.get(_id(it)), others.get(_id(it)))
            ]
        not_reported = [f"{it.saga_id}/{it.id}" for it in known if _is_missing(it, seen.get(it.cluster or ""))]
        if not_charged or not_reported:
            self._notice(self._card, Discrepancies(tuple(not_charged), tuple(not_reported)))

    def _is_accounted_for(self, it: Marked, reported: Machines, lived: Resource | None, other: Resource | None) -> bool:
        """Whether it costs something, or was not ready yet: then it is being built, or on its way out again."""
        resource = lived or other
        if resource is None or (resource.status is ResourceStatus.ABSENT and resource.ready_at is None):
            return False
        if resource.gone_at is not None and reported.at > resource.gone_at:
            return False
        if resource.ready_at is None or resource.gone_at is not None:
            return True
        return resource.cluster == reported.cluster and (lived is not None or self._is_fresh(resource.ready_at))

    def _is_fresh(self, ready_at: datetime) -> bool:
        """Whether it may not be listed yet; what is not after an hour is older than the index, and unwritten since."""
        return self._clock.now() - ready_at < HOUR

    def _resources(self, machines: Sequence[Marked]) -> dict[tuple[str, str], Resource]:
        """What the ledger knows of some machines: thousands may be being built, so each saga is read once."""
        found: dict[tuple[str, str], Resource] = {}
        for saga_id, wanted in grouped(machines, lambda it: it.saga_id).items():
            ids = {it.resource_id for it in wanted}
            with suppress(SagaNotFound):
                for _, resources in pages(self._ledger, saga_id):
                    found |= {(saga_id, it.id): it for it in resources if it.id in ids}
        return found


def cost_source(source: AnySource) -> CostSource:
    """Who reads a source; raises TerminalError for one that is no rate card."""
    if not isinstance(source, RateCard):
        raise TerminalError("WrongCollector", f"{source.name} has no rate card")
    clock = SystemClock()
    table = LedgerSettings.from_environment(os.environ).table
    client = clients.dynamodb()
    ledger = DynamoLedger(client, table, clock)
    return RateCardCosts(source, ledger, DynamoClusters(client, table, clock), clock, log)


def log(card: RateCard, found: Discrepancies) -> None:
    """Name some of the machines in the log, and count all of them."""
    logger.warning(
        "the ledger and the clusters do not agree on what is there",
        extra={
            "source": card.name,
            "not_charged": found.not_charged[:_MOST_NAMED],
            "not_reported": found.not_reported[:_MOST_NAMED],
        },
    )
    gauge("MachinesNotCharged", len(found.not_charged), source=card.name)
    gauge("MachinesNotReported", len(found.not_reported), source=card.name)


def _id(machine: Marked) -> tuple[str, str]:
    return machine.saga_id, machine.resource_id


def _is_missing(resource: Resource, seen: _Seen | None) -> bool:
    """Whether its cluster has reported since it was ready, and not it, and nobody of ours is removing it."""
    if seen is None or resource.status is not ResourceStatus.READY or resource.ready_at is None:
        return False
    return seen.at > resource.ready_at and (resource.saga_id, resource.id) not in seen.machines


def _start(span: Span, cursor: str | None) -> datetime:
    if cursor is None:
        return span.start
    try:
        start = window_named(cursor)
    except ValueError as error:
        raise CursorExpired("the cursor is none of this source's") from error
    if not span.start <= start < span.end:
        raise CursorExpired("the cursor is none of this span's")
    return start


handler = collect_handler(cost_source)
