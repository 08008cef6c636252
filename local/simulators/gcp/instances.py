"""Virtual machines: `instances.insert` and `instances.delete`, with what that does to their disks."""

from __future__ import annotations

from typing import Any

from local.simulators.gcp import catalog, disks
from local.simulators.gcp.errors import already_exists, in_use, invalid, not_found, not_ready, quota_exceeded
from local.simulators.gcp.paths import region_of, resolve
from local.simulators.gcp.state import Attachment, Change, Disk, Instance, Operation, State, Target


def insert(state: State, zone_path: str, body: dict[str, Any], change: Change) -> Operation:
    """Accept a new instance; it and its new disks are there at once, as PROVISIONING and CREATING."""
    instance, new_disks = _describe(state, zone_path, body, change)
    state.disks.update({disk.path: disk for disk in new_disks})
    state.place(instance)

    def fail() -> None:
        state.remove(instance)
        if not (change.failure and change.failure.leaves_boot_disk):
            for disk in new_disks:
                state.disks.pop(disk.path, None)

    target = Target(instance.path, instance.id)
    return state.begin(change, "insert", target, instance.ready_at, succeed=lambda: None, fail=fail)


def delete(state: State, path: str, change: Change) -> Operation:
    """Accept an instance's deletion; disks without autoDelete stay behind, detached."""
    instance = state.instances.get(path)
    if instance is None:
        raise not_found(path)
    if instance.deleting:
        raise not_ready(path)
    instance.deleting = True

    def fail() -> None:
        instance.deleting = False

    def remove() -> None:
        if state.remove(instance):
            for attachment in instance.attachments:
                if attachment.auto_delete:
                    state.disks.pop(attachment.disk, None)

    # A deletion waits for the creation that is still under way.
    done_at = max(change.at, instance.ready_at) + state.timing.instance_delete
    target = Target(path, instance.id)
    return state.begin(change, "delete", target, done_at, succeed=remove, fail=fail)


def _describe(state: State, zone_path: str, body: dict[str, Any], change: Change) -> tuple[Instance, list[Disk]]:
    """The instance that `body` describes and the disks to be made with it; raises ApiError."""
    project, zone = zone_path.split("/")[1::2]
    catalog.check_name(body.get("name"))
    catalog.check_labels(body.get("labels", {}))
    catalog.check_machine_type(body.get("machineType", ""), zone)
    interfaces = body.get("networkInterfaces") or []
    if len(interfaces) != 1:
        raise invalid("resource.networkInterfaces", interfaces, "Exactly one network interface is supported here.")
    catalog.check_network(interfaces[0], zone, project)
    path = f"{zone_path}/instances/{body['name']}"
    if path in state.instances:
        raise already_exists(path)
    _check_quota(state, project, region_of(zone))
    attachments, new_disks = _attach(state, zone_path, body, change.at)
    number = state.next_id()
    host = f"{number // 250 % 250}.{number % 250 + 2}"
    instance = Instance(
        path=path,
        id=number,
        machine_type=body["machineType"].rsplit("/", 1)[-1],
        labels=body.get("labels", {}),
        attachments=attachments,
        network_ip=f"10.132.{host}",
        nat_ip=f"34.76.{host}" if interfaces[0].get("accessConfigs") else None,
        created_at=change.at,
        ready_at=change.done_after(state.timing.instance_insert),
    )
    return instance, new_disks


def _check_quota(state: State, project: str, region: str) -> None:
    prefix = f"projects/{project}/zones/{region}-"
    limit = state.timing.instances_per_region
    if sum(path.startswith(prefix) for path in state.instances) >= limit:
        raise quota_exceeded("INSTANCES", limit, region)


def _attach(state: State, zone_path: str, body: dict[str, Any], now: float) -> tuple[list[Attachment], list[Disk]]:
    wanted = body.get("disks") or []
    if not wanted or not wanted[0].get("boot"):
        raise invalid("resource.disks", wanted, "The first disk must be a boot disk.")
    attachments, new_disks = [], []
    for index, entry in enumerate(wanted):
        if "initializeParams" in entry:
            params = entry["initializeParams"]
            disk = disks.new_disk(state, zone_path, params.get("diskName") or body["name"], params, now)
            new_disks.append(disk)
        else:
            disk = _existing(state, zone_path, index, entry, now)
        attachments.append(Attachment(disk.path, bool(entry.get("boot")), bool(entry.get("autoDelete"))))
    return attachments, new_disks


def _existing(state: State, zone_path: str, index: int, entry: dict[str, Any], now: float) -> Disk:
    path = resolve(entry.get("source", ""), zone_path.split("/")[1])
    if not path.startswith(f"{zone_path}/disks/"):
        raise invalid(f"resource.disks[{index}].source", path, "The disk must be in the instance's zone.")
    disk = state.disks.get(path)
    if disk is None:
        raise not_found(path)
    if disk.status(now) != "READY":
        raise not_ready(path)
    if user := state.user_of(path):
        raise in_use(path, user)
    return disk
