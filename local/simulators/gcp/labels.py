"""`setLabels` of instances and disks, which must name the labels it replaces by their fingerprint."""

from __future__ import annotations

from typing import Any

from local.simulators.gcp import catalog
from local.simulators.gcp.errors import ApiError, not_found
from local.simulators.gcp.representations import fingerprint
from local.simulators.gcp.state import Change, Operation, State, Target


def replace(state: State, path: str, body: dict[str, Any], change: Change) -> Operation:
    """Accept new labels for what is at `path`; they hold at once."""
    resource = state.instances.get(path) or state.disks.get(path)
    if resource is None:
        raise not_found(path)
    if body.get("labelFingerprint") != fingerprint(resource.labels):
        raise ApiError(412, "conditionNotMet", "Labels fingerprint either invalid or resource labels have changed")
    labels = body.get("labels", {})
    catalog.check_labels(labels)
    state.label(resource, labels)
    target = Target(path, resource.id)
    return state.begin(change, "setLabels", target, change.at, succeed=lambda: None, fail=lambda: None)
