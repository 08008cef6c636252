"""Sagas, resources, events and plans in the form that callers rely on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, overload

from lambdas.core.placement.bounds import bounds
from lambdas.core.prices import Price, totals
from lambdas.core.request import dependencies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdas.api import shapes
    from lambdas.core.billing.freshness import Freshness
    from lambdas.core.billing.questions import Question
    from lambdas.core.billing.windows import Failure
    from lambdas.core.clusters import Amounts, ClusterStanding
    from lambdas.core.costs import CostPage
    from lambdas.core.dry_run import Plan
    from lambdas.core.model import Approval, Division, Event, Resource, Saga
    from lambdas.core.ports.cost_query import CostLine
    from lambdas.core.ports.summaries import SagaCost
    from lambdas.core.ports.sweeps import Sweep
    from lambdas.core.preflight import Shortage
    from lambdas.core.sagas import SagaPage
    from lambdas.core.steps.sweep import Finding, SweepResult

COSTS_VERSION: Final = 1
"""Of the form of an answer about costs; a field that is added does not change it."""


def saga_view(page: SagaPage) -> shapes.SagaWithResources:
    """A saga with some or all of its resources, and how many there are in all."""
    return {
        **summary_view(page.saga),
        "resources": [resource_view(it) for it in page.resources],
        "resource_counts": {status: number for status, number in sorted(page.counts.items()) if number},
        "next_cursor": page.following,
        "events_cursor": cursor_view(page.cursor),
    }


def cursor_view(cursor: Sequence[int]) -> str:
    """A place among the events of a saga."""
    return ".".join(map(str, cursor))


def summary_view(saga: Saga) -> shapes.SagaSummary:
    """A saga without its resources."""
    return {
        "id": saga.id,
        "name": saga.name,
        "status": saga.status,
        "caller": saga.caller,
        "version": saga.version,
        "labels": dict(saga.labels),
        "created_at": _time(saga.created_at),
        "finished_at": _time(saga.finished_at),
        "expires_at": _time(saga.expires_at),
        "cancel_requested": saga.cancel_requested,
        "approval": approval_view(saga.approval),
        "waves": [list(wave) for wave in saga.waves],
    }


def approval_view(approval: Approval | None) -> shapes.ApprovalState | None:
    """The consent that a saga needs, or None; who gave it, once it was given."""
    if approval is None:
        return None
    return {
        "before": approval.before,
        "approve_by": _time(approval.approve_by),
        "approved_by": approval.approved_by,
        "approved_at": _time(approval.approved_at),
    }


def resource_view(resource: Resource) -> shapes.ResourceState:
    """One resource of a saga.

    `begun` are the parts that its cloud has accepted, in order; `faults` counts those that may pass since it was last
    ready or absent.
    """
    return {
        "id": resource.id,
        "provider": resource.definition.provider,
        "kind": resource.definition.kind,
        "target": resource.definition.target,
        "location": resource.definition.location or None,
        "depends_on": list(dependencies(resource.definition)),
        "status": resource.status,
        "cluster": resource.cluster,
        "cloud_id": resource.cloud_id,
        "begun": list(resource.operations),
        "error": resource.error,
        "faults": resource.trouble,
        "created_at": _time(resource.created_at),
        "ready_at": _time(resource.ready_at),
        "release_began_at": _time(resource.release_began_at),
        "gone_at": _time(resource.gone_at),
    }


def event_view(event: Event, division: Division | None) -> shapes.SagaEvent:
    """One event, with a number that no other event of the saga has, however it is divided."""
    orders = division.shards + 1 if division else 1
    return {
        "seq": event.seq * orders + (0 if event.shard is None else event.shard + 1),
        "at": _time(event.at),
        "resource": event.resource_id,
        "status": event.status,
        "message": event.message,
        "step": event.step,
        "error": event.error,
    }


def plan_view(plan: Plan) -> shapes.Plan:
    """A dry run; `hourly` adds up the prices that are known, by currency, in decimals as text."""
    return {
        "name": plan.name,
        "order": [list(wave) for wave in plan.order],
        "shortages": [shortage_view(cloud, it) for cloud, it in plan.shortages],
        "unchecked": [{"provider": cloud, "reason": reason} for cloud, reason in plan.unchecked],
        "prices": [price_view(cloud, price) for cloud, price in plan.prices],
        "unpriced": [{"provider": cloud, "reason": reason} for cloud, reason in plan.unpriced],
        "hourly": [
            {"currency": currency, "amount": _plain(amount)}
            for currency, amount in sorted(totals(price for _, price in plan.prices).items())
        ],
    }


def price_view(cloud: str, price: Price) -> shapes.ResourcePrice:
    """What one resource will cost in an hour, by which list price."""
    return {
        "provider": cloud,
        "resource": price.resource,
        "hourly": _plain(price.hourly),
        "currency": price.currency,
        "basis": price.basis,
    }


def shortage_view(cloud: str, shortage: Shortage) -> shapes.Shortage:
    """What a cloud is short of."""
    return {
        "provider": cloud,
        "resources": list(shortage.resources),
        "location": shortage.location,
        "code": shortage.code,
        "message": shortage.message,
        "needed": shortage.needed,
        "available": shortage.available,
    }


def cluster_view(standing: ClusterStanding, now: datetime) -> shapes.Cluster:
    """A private cluster: what it has and what is used of it, what may be claimed and what is, and since when we know.

    `capacity` and `used` are of its usable hosts and datastores (processors, MiB, GiB); `claimable` is the most that
    may be claimed in all, after overcommitment, the reserve and other people's machines.
    """
    settings, report, claimed = standing
    hosts = [host for host in report.hosts if host.usable]
    datastores = [datastore for datastore in report.datastores if datastore.usable]
    return {
        "name": settings.name,
        "provider": settings.provider,
        "target": settings.target,
        "labels": dict(settings.labels),
        "drained": claimed.drained,
        "reported_at": _time(report.at),
        "report_age_seconds": round((now - report.at).total_seconds()),
        "hosts": {"usable": len(hosts), "all": len(report.hosts)},
        "capacity": {
            "cpu": sum(host.cpu for host in hosts),
            "memory_mb": sum(host.memory_mb for host in hosts),
            "disk_gb": sum(datastore.capacity_gb for datastore in datastores),
        },
        "used": {
            "cpu": round(sum(host.cpu_used for host in hosts), 1),
            "memory_mb": sum(host.memory_used_mb for host in hosts),
            "disk_gb": sum(datastore.capacity_gb - datastore.free_gb for datastore in datastores),
        },
        "claimable": _amounts_view(bounds(settings, report)),
        "claimed": _amounts_view(claimed.amounts),
    }


def _amounts_view(amounts: Amounts) -> shapes.ClusterAmounts:
    return {"cpu": amounts.cpu, "memory_mb": amounts.memory_mb, "disk_gb": amounts.disk_gb}


def cost_page_view(question: Question, page: CostPage, *, sees_all: bool) -> shapes.CostPage:
    """Lines of an answer about costs, what was asked, and how fresh the sources are: a late hour is no cheap one.

    `costs` says, in a grant's words, whether they are of everything or of the caller's own sagas.
    """
    days = question.scope.days
    return {
        "version": COSTS_VERSION,
        "costs": "all" if sees_all else "own",
        "group_by": list(question.groups),
        "from": days[0].isoformat() if days else None,
        "to": days[1].isoformat() if days else None,
        "items": [cost_line_view(question, it) for it in page.lines],
        "next_cursor": page.next_cursor,
        "freshness": [freshness_view(it, sees_all=sees_all) for it in page.freshness],
    }


def cost_line_view(question: Question, line: CostLine) -> shapes.CostLine:
    """One group in one currency; amounts are decimals in text, since JSON's numbers may be rounded."""
    return {
        "keys": dict(zip(question.groups, line.keys, strict=True)),
        "currency": line.currency,
        "billed": _plain(line.amounts.billed),
        "effective": _plain(line.amounts.effective),
        "list": _plain(line.amounts.list),
        "contracted": _plain(line.amounts.contracted),
    }


def freshness_view(fresh: Freshness, *, sees_all: bool) -> shapes.SourceFreshness:
    """How fresh one source is; whose account it is, and what a cloud said, is for who may see all costs."""
    return {
        "source": fresh.source,
        "kind": fresh.kind,
        "provider": fresh.provider,
        "account": fresh.account if sees_all else None,
        "collected_at": _time(fresh.collected_at),
        "data_through": _time(fresh.data_through),
        "closed_through": _time(fresh.closed_through),
        "windows_behind": fresh.windows_behind,
        "windows_open": fresh.windows_open,
        "late": fresh.late,
        "failure": _failure_view(fresh.failure, sees_all=sees_all),
    }


def _failure_view(failure: Failure | None, *, sees_all: bool) -> shapes.CollectionFailure | None:
    if failure is None:
        return None
    return {"at": _time(failure.at), "error": failure.error, "message": failure.message if sees_all else None}


def saga_cost_view(cost: SagaCost) -> shapes.SagaCostState:
    """What a saga costs in each currency, and how fresh that is."""
    return {
        "cost": [
            {
                "currency": it.currency,
                "billed": _plain(it.billed),
                "effective": _plain(it.effective),
                "through": _time(it.through),
            }
            for it in cost.costs
        ],
        "cost_freshness": {"window": cost.window, "late_sources": list(cost.late)},
    }


def sweep_view(sweep: Sweep) -> shapes.Sweep:
    """A sweep, with what it found once it has ended."""
    return {
        "id": sweep.id,
        "status": sweep.status.value,
        "dry_run": sweep.dry_run,
        "started_at": _time(sweep.started_at),
        "ended_at": _time(sweep.ended_at),
        "result": _findings_view(sweep.result) if sweep.result else None,
        "error": sweep.error,
    }


def _findings_view(result: SweepResult) -> shapes.SweepFindings:
    return {
        "orphans": [_finding_view(it) for it in result["orphans"]],
        "unknown": [_finding_view(it) for it in result["unknown"]],
        "overdue": [
            {"saga_id": it["saga_id"], "status": it["status"], "reason": it["reason"]} for it in result["overdue"]
        ],
        "releases": [
            {"saga_id": it["saga_id"], "reason": it["reason"], "name": it["name"]} for it in result["releases"]
        ],
        "not_swept": [
            {"cloud": it["cloud"], "target": it["target"], "error": it["error"]} for it in result["not_swept"]
        ],
    }


def _finding_view(finding: Finding) -> shapes.SweepFinding:
    return {
        "cloud": finding["cloud"],
        "target": finding["target"],
        "saga_id": finding["saga_id"],
        "resource_id": finding["resource_id"],
        "cloud_id": finding["cloud_id"],
    }


@overload
def _plain(amount: Decimal) -> str: ...


@overload
def _plain(amount: Decimal | None) -> str | None: ...


def _plain(amount: Decimal | None) -> str | None:
    """All digits that matter, and neither an exponent nor the zeros that a column's scale adds."""
    if amount is None:
        return None
    if not amount:
        return "0"
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@overload
def _time(moment: datetime) -> str: ...


@overload
def _time(moment: datetime | None) -> str | None: ...


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
