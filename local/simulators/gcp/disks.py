"""Persistent disks: `disks.insert` and `disks.delete`."""

from __future__ import annotations

from typing import Any

from local.simulators.gcp import catalog
from local.simulators.gcp.errors import already_exists, in_use, invalid, not_found, not_ready
from local.simulators.gcp.paths import last
from local.simulators.gcp.state import Change, Disk, Operation, State, Target


def insert(state: State, zone_path: str, body: dict[str, Any], change: Change) -> Operation:
    """Accept a new disk; it is there at once, as CREATING."""
    catalog.check_name(body.get("name"))
    disk = new_disk(state, zone_path, body["name"], body, change.at)
    disk.ready_at = change.done_after(state.timing.disk_insert)
    state.disks[disk.path] = disk
    target = Target(disk.path, disk.id)
    return state.begin(change, "insert", target, disk.ready_at, succeed=lambda: None, fail=lambda: _remove(state, disk))


def new_disk(state: State, zone_path: str, name: str, body: dict[str, Any], now: float) -> Disk:
    """The disk that `body` describes, not yet among the others; raises ApiError."""
    project, zone = zone_path.split("/")[1::2]
    path = f"{zone_path}/disks/{name}"
    if path in state.disks:
        raise already_exists(path)
    labels = body.get("labels", {})
    catalog.check_labels(labels)
    type_ = body.get("type") or body.get("diskType") or f"zones/{zone}/diskTypes/pd-standard"
    catalog.check_disk_type("resource.type", type_, zone)
    image = catalog.image(body["sourceImage"], project) if body.get("sourceImage") else None
    size_gb = _size(body.get("sizeGb") or body.get("diskSizeGb"), image)
    ready_at = now + state.timing.disk_insert
    return Disk(path, state.next_id(), size_gb, last(type_), labels, image and image.name, now, ready_at)


def delete(state: State, path: str, change: Change) -> Operation:
    """Accept a disk's deletion, unless an instance has it."""
    disk = state.disks.get(path)
    if disk is None:
        raise not_found(path)
    if user := state.user_of(path):
        raise in_use(path, user)
    if disk.deleting:
        raise not_ready(path)
    disk.deleting = True

    def fail() -> None:
        disk.deleting = False

    done_at = max(change.at, disk.ready_at) + state.timing.disk_delete
    target = Target(path, disk.id)
    return state.begin(change, "delete", target, done_at, succeed=lambda: _remove(state, disk), fail=fail)


def _remove(state: State, disk: Disk) -> None:
    if state.disks.get(disk.path) is disk:
        del state.disks[disk.path]


def _size(asked: str | int | None, image: catalog.Image | None) -> int:
    least = image.size_gb if image else 1
    if asked is None:
        return image.size_gb if image else 500
    size_gb = int(asked)
    if size_gb < least:
        raise invalid("resource.sizeGb", size_gb, f"Requested disk size cannot be smaller than {least} GB.")
    return size_gb
