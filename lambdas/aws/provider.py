"""AWS as a provider: EC2 instances and EBS volumes.

EC2 has no names to be unique by: what makes a create idempotent is its client token, and what finds the result again is
the token and the tags. An instance's boot volume and network interface carry the same tags and go with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

from botocore.exceptions import ClientError

from lambdas.aws import bodies
from lambdas.aws.clients import AwsAccounts
from lambdas.aws.errors import failed_afterwards
from lambdas.aws.inventory import inventory
from lambdas.aws.preflight import MOST_LAUNCHES, shortages
from lambdas.aws.settings import AwsSettings
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, AttachedDisk, Intent
from lambdas.core.ports.provider import Marked, Observation
from lambdas.core.preflight import Shortage, grouped
from lambdas.core.specs import AwsDisk, AwsInstance
from lambdas.core.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef, VolumeTypeDef

INSTANCE: Final = "instance"
ATTACHMENTS: Final = "attachments"
DISK: Final = "disk"

_DEVICES: Final = tuple(f"/dev/sd{letter}" for letter in "fghijklm")
_ENDING: Final = ("shutting-down", "terminated")


class AwsProvider:
    """EC2 in every region of every account that is a target."""

    def __init__(self, accounts: AwsAccounts, settings: AwsSettings) -> None:
        self._accounts = accounts
        self._settings = settings

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The provider that the function's environment describes."""
        settings = AwsSettings.from_environment(environ)
        return cls(AwsAccounts(settings), settings)

    @property
    def settling_seconds(self) -> float:
        """How long something must stay unfound before it counts as gone."""
        return self._settings.settling_seconds

    @property
    def repeat_seconds(self) -> float:
        """None: a repeated request is recognised."""
        return 0

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """An instance, then the attachment of its disks; or a disk."""
        if isinstance(intent.definition, AwsDisk):
            return (DISK,)
        return (INSTANCE, ATTACHMENTS) if intent.disks else (INSTANCE,)

    def create(self, intent: Intent, part: str) -> str:
        """Begin creating a part; the handle is the instance's or volume's id."""
        with self._at(intent) as ec2:
            match intent.definition:
                case AwsInstance() as definition if part == INSTANCE:
                    return _run_instance(ec2, intent, definition)
                case AwsInstance():
                    return _attach(ec2, intent)
                case AwsDisk() as definition:
                    return _create_volume(ec2, intent, definition)
        raise _not_ours(intent)

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at an instance, its attachments or a volume."""
        with self._at(intent) as ec2:
            if part == INSTANCE:
                return _observe_instance(ec2, intent)
            if part == ATTACHMENTS:
                return _observe_attachments(ec2, intent)
            return _observe_volume(ec2, intent)

    def delete(self, intent: Intent) -> None:
        """Terminate the instances and delete the interfaces and volumes that carry the intent's token or tags."""
        with self._at(intent) as ec2:
            running = [it["InstanceId"] for it in _instances(ec2, intent) if it["State"]["Name"] not in _ENDING]
            if running:
                _unless_gone(lambda: ec2.terminate_instances(InstanceIds=running))
            for interface in _interfaces(ec2, intent):
                if interface["Status"] == "available":
                    interface_id = interface["NetworkInterfaceId"]
                    _unless_gone(lambda it=interface_id: ec2.delete_network_interface(NetworkInterfaceId=it))
            for volume in _volumes(ec2, intent):
                if volume["State"] in ("available", "error"):
                    _unless_gone(lambda it=volume["VolumeId"]: ec2.delete_volume(VolumeId=it))

    def find(self, intent: Intent) -> list[str]:
        """The ids of instances, interfaces and volumes that carry the intent's token or tags."""
        with self._at(intent) as ec2:
            instances = [it["InstanceId"] for it in _instances(ec2, intent)]
            interfaces = [it["NetworkInterfaceId"] for it in _interfaces(ec2, intent)]
            return instances + interfaces + [it["VolumeId"] for it in _volumes(ec2, intent)]

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """What EC2 would refuse of the intents if they were created now."""
        found: list[Shortage] = []
        targets = grouped(intents, lambda intent: intent.target)
        for target, here in targets.items():
            account = self._accounts.of(target)
            with account.asked():
                found += shortages(account, here, max(1, MOST_LAUNCHES // len(targets)))
        return found

    def inventory(self, target: Target | None = None) -> list[Marked]:
        """Everything in a target that carries the mark of any saga."""
        account = self._accounts.of(target)
        with account.asked():
            return list(inventory(account, self._settings))

    @contextmanager
    def _at(self, intent: Intent) -> Iterator[EC2Client]:
        """EC2 where the intent is for; what it raises leaves translated."""
        account = self._accounts.of(intent.target)
        with account.asked():
            yield account.ec2(intent.definition.location)


def _run_instance(ec2: EC2Client, intent: Intent, definition: AwsInstance) -> str:
    request = bodies.instance(ec2, intent, definition, intent.token(INSTANCE))
    return ec2.run_instances(**request)["Instances"][0]["InstanceId"]


def _create_volume(ec2: EC2Client, intent: Intent, definition: AwsDisk) -> str:
    spec = definition.spec
    volume = ec2.create_volume(
        ClientToken=intent.token(DISK),
        AvailabilityZone=spec.zone,
        Size=spec.size_gb,
        VolumeType=spec.type,
        TagSpecifications=[bodies.tags(intent, "volume")],  # type: ignore[list-item]  # built as a plain dict
    )
    return volume["VolumeId"]


def _attach(ec2: EC2Client, intent: Intent) -> str:
    """Attach what is not attached yet; EC2 takes no token here, so what is done is looked at first."""
    instance_id = intent.operations[INSTANCE]
    attached = _attachments(ec2, intent)
    for disk, device in zip(intent.disks, _DEVICES, strict=False):
        holder = attached.get(disk.cloud_id, {}).get("InstanceId")
        if holder is None:
            ec2.attach_volume(InstanceId=instance_id, VolumeId=disk.cloud_id, Device=device)
        elif holder != instance_id:
            raise TerminalError("VolumeInUse", f"{disk.resource_id} ({disk.cloud_id}) is attached to {holder}")
    return ""


def _observe_instance(ec2: EC2Client, intent: Intent) -> Observation:
    instance = _described(ec2, intent)
    if instance is None:
        return Observation(ready=False)
    if instance["State"]["Name"] in ("pending", "running"):
        return Observation(instance["State"]["Name"] == "running", instance["InstanceId"])
    reason = instance.get("StateReason", {})
    code = reason.get("Code", "InstanceTerminated")
    raise failed_afterwards(code, reason.get("Message", f"it is {instance['State']['Name']}"))


def _described(ec2: EC2Client, intent: Intent) -> InstanceTypeDef | None:
    try:
        answer = ec2.describe_instances(InstanceIds=[intent.operations[INSTANCE]])
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidInstanceID.NotFound":  # not yet
            return None
        raise
    return next((it for group in answer["Reservations"] for it in group["Instances"]), None)


def _observe_attachments(ec2: EC2Client, intent: Intent) -> Observation:
    instance_id = intent.operations[INSTANCE]
    attached = _attachments(ec2, intent)
    done = all(_is_attached(attached.get(disk.cloud_id, {}), instance_id) for disk in intent.disks)
    return Observation(done, instance_id)


def _is_attached(attachment: Mapping[str, Any], instance_id: str) -> bool:
    return attachment.get("InstanceId") == instance_id and attachment.get("State") == "attached"


def _attachments(ec2: EC2Client, intent: Intent) -> dict[str, Mapping[str, Any]]:
    ids = [_known(disk) for disk in intent.disks]
    volumes = ec2.describe_volumes(VolumeIds=ids)["Volumes"]
    return {it["VolumeId"]: it["Attachments"][0] for it in volumes if it.get("Attachments")}


def _known(disk: AttachedDisk) -> str:
    if not disk.cloud_id:
        raise RetryableError("DiskNotReady", f"{disk.resource_id} has no volume id yet")
    return disk.cloud_id


def _observe_volume(ec2: EC2Client, intent: Intent) -> Observation:
    try:
        volume = ec2.describe_volumes(VolumeIds=[intent.operations[DISK]])["Volumes"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidVolume.NotFound":  # not yet
            return Observation(ready=False)
        raise
    if volume["State"] in ("creating", "available", "in-use"):
        return Observation(volume["State"] != "creating", volume["VolumeId"])
    raise failed_afterwards("VolumeFailed", f"the volume is {volume['State']}")


def _instances(ec2: EC2Client, intent: Intent) -> list[InstanceTypeDef]:
    """Every instance of the intent that is not terminated, by tags and by token: either may lag behind."""
    if not isinstance(intent.definition, AwsInstance):
        return []
    by_token: list[FilterTypeDef] = [{"Name": "client-token", "Values": [intent.token(INSTANCE)]}]
    found: dict[str, InstanceTypeDef] = {}
    for filters in (_by_tags(intent), by_token):
        for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
            found |= {it["InstanceId"]: it for group in page["Reservations"] for it in group["Instances"]}
    return [it for it in found.values() if it["State"]["Name"] != "terminated"]


def _interfaces(ec2: EC2Client, intent: Intent) -> list[Any]:
    if not isinstance(intent.definition, AwsInstance):
        return []
    return list(ec2.describe_network_interfaces(Filters=_by_tags(intent))["NetworkInterfaces"])


def _volumes(ec2: EC2Client, intent: Intent) -> list[VolumeTypeDef]:
    return list(ec2.describe_volumes(Filters=_by_tags(intent))["Volumes"])


def _by_tags(intent: Intent) -> list[FilterTypeDef]:
    return [
        {"Name": f"tag:{MARK_SAGA}", "Values": [intent.saga_id]},
        {"Name": f"tag:{MARK_RESOURCE}", "Values": [intent.resource_id]},
    ]


def _unless_gone(call: Any) -> None:
    try:
        call()
    except ClientError as error:
        if not error.response["Error"]["Code"].endswith(".NotFound"):
            raise


def _not_ours(intent: Intent) -> TerminalError:
    return TerminalError("WrongProvider", f"{intent.resource_id} is not a resource of AWS")
