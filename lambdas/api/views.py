"""Sagas, resources, events and plans in the form that callers rely on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lambdas.core.dry_run import Plan
from lambdas.core.model import Approval, Event, Resource, Saga
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


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
