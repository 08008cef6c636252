"""Instances, disks and operations as Compute Engine's JSON; 64-bit numbers are strings there."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

from local.simulators.gcp.paths import last, link, region_of, timestamp
from local.simulators.gcp.state import Attachment, Disk, Instance, Operation, State


def instance(state: State, machine: Instance, now: float) -> dict[str, Any]:
    """A virtual machine with its disks, network interface and address."""
    _, project, _, zone, _, name = machine.path.split("/")
    zone_path = machine.path.rsplit("/", 2)[0]
    return {
        "kind": "compute#instance",
        "id": str(machine.id),
        "name": name,
        "creationTimestamp": timestamp(machine.created_at),
        "status": machine.status(now),
        "zone": link(zone_path),
        "selfLink": link(machine.path),
        "machineType": link(f"{zone_path}/machineTypes/{machine.machine_type}"),
        "disks": [_attached(state, index, a) for index, a in enumerate(machine.attachments)],
        "networkInterfaces": [_interface(machine, project, region_of(zone))],
        **_labelled(machine.labels),
    }


def disk(state: State, volume: Disk, now: float) -> dict[str, Any]:
    """A persistent disk, with the instance that has it as its user."""
    zone_path = volume.path.rsplit("/", 2)[0]
    body = {
        "kind": "compute#disk",
        "id": str(volume.id),
        "name": last(volume.path),
        "creationTimestamp": timestamp(volume.created_at),
        "status": volume.status(now),
        "sizeGb": str(volume.size_gb),
        "zone": link(zone_path),
        "selfLink": link(volume.path),
        "type": link(f"{zone_path}/diskTypes/{volume.type}"),
        **_labelled(volume.labels),
    }
    if user := state.user_of(volume.path):
        body["users"] = [link(user)]
    return body


def operation(accepted: Operation, now: float) -> dict[str, Any]:
    """A zonal operation; one that failed is DONE, too, and has an `error`."""
    done = now >= accepted.done_at
    body: dict[str, Any] = {
        "kind": "compute#operation",
        "id": str(accepted.id),
        "name": last(accepted.path),
        "operationType": accepted.type,
        "status": accepted.status(now),
        "progress": 100 if done else 0,
        "targetLink": link(accepted.target.path),
        "targetId": str(accepted.target.id),
        "zone": link(accepted.path.rsplit("/", 2)[0]),
        "selfLink": link(accepted.path),
        "user": "skysaga@local.iam.gserviceaccount.com",
        "insertTime": timestamp(accepted.created_at),
        "startTime": timestamp(accepted.created_at),
    }
    if accepted.request_id:
        body["clientOperationId"] = accepted.request_id
    if done:
        body["endTime"] = timestamp(accepted.done_at)
    if done and accepted.error:
        error = accepted.error
        body["error"] = {"errors": [{"code": error.code, "message": error.message}]}
        body["httpErrorStatusCode"] = error.http_status
        body["httpErrorMessage"] = error.http_message
    return body


def _attached(state: State, index: int, attachment: Attachment) -> dict[str, Any]:
    volume = state.disks.get(attachment.disk)
    return {
        "kind": "compute#attachedDisk",
        "type": "PERSISTENT",
        "mode": "READ_WRITE",
        "index": index,
        "deviceName": last(attachment.disk),
        "source": link(attachment.disk),
        "boot": attachment.boot,
        "autoDelete": attachment.auto_delete,
        "diskSizeGb": str(volume.size_gb) if volume else "0",
    }


def _interface(machine: Instance, project: str, region: str) -> dict[str, Any]:
    access = {"kind": "compute#accessConfig", "type": "ONE_TO_ONE_NAT", "name": "External NAT", "natIP": machine.nat_ip}
    return {
        "kind": "compute#networkInterface",
        "name": "nic0",
        "network": link(f"projects/{project}/global/networks/default"),
        "subnetwork": link(f"projects/{project}/regions/{region}/subnetworks/default"),
        "networkIP": machine.network_ip,
        **({"accessConfigs": [access]} if machine.nat_ip else {}),
    }


def _labelled(labels: dict[str, str]) -> dict[str, Any]:
    return {**({"labels": labels} if labels else {}), "labelFingerprint": fingerprint(labels)}


def fingerprint(labels: dict[str, str]) -> str:
    """What a change of labels must name, so that it cannot undo another change."""
    return b64encode(sha256(repr(sorted(labels.items())).encode()).digest()[:8]).decode()
