"""Sagas, resources, events and plans in the form that callers rely on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lambdas.core.clusters import ClusterStanding
from lambdas.core.dry_run import Plan
from lambdas.core.model import Approval, Event, Resource, Saga
from lambdas.core.placement.bounds import bounds
from lambdas.core.ports.ledger import Snapshot


def saga_view(snapshot: Snapshot) -> dict[str, Any]:
    """A saga with its resources."""
    return {**summary_view(snapshot.saga), "resources": [resource_view(it) for it in snapshot.resources]}


def summary_view(saga: Saga) -> dict[str, Any]:
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
        "approval": approval_view(saga.approval),
    }


def approval_view(approval: Approval | None) -> dict[str, Any] | None:
    """The consent that a saga needs, or None; who gave it, once it was given."""
    if approval is None:
        return None
    return {
        "before": approval.before,
        "approve_by": _time(approval.approve_by),
        "approved_by": approval.approved_by,
        "approved_at": _time(approval.approved_at),
    }


def resource_view(resource: Resource) -> dict[str, Any]:
    """One resource of a saga."""
    return {
        "id": resource.id,
        "provider": resource.definition.provider,
        "kind": resource.definition.kind,
        "target": resource.definition.target,
        "status": resource.status,
        "cluster": resource.cluster,
        "cloud_id": resource.cloud_id,
        "error": resource.error,
        "created_at": _time(resource.created_at),
        "ready_at": _time(resource.ready_at),
    }


def event_view(event: Event) -> dict[str, Any]:
    """One event."""
    return {
        "seq": event.seq,
        "at": _time(event.at),
        "resource": event.resource_id,
        "status": event.status,
        "message": event.message,
    }


def plan_view(plan: Plan) -> dict[str, Any]:
    """A dry run; no price is known yet, so none is given."""
    return {
        "name": plan.name,
        "order": [list(wave) for wave in plan.order],
        "shortages": [{"provider": cloud, **it.model_dump(mode="json")} for cloud, it in plan.shortages],
        "unchecked": [{"provider": cloud, "reason": reason} for cloud, reason in plan.unchecked],
    }


def cluster_view(standing: ClusterStanding, now: datetime) -> dict[str, Any]:
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
        "claimable": bounds(settings, report).model_dump(),
        "claimed": claimed.amounts.model_dump(),
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
