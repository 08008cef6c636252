"""Everything in EC2 that carries our mark: instances, interfaces and volumes, in every region that may hold some."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from lambdas.aws.clients import AwsClients
from lambdas.aws.settings import AwsSettings
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA
from lambdas.core.ports.provider import Marked

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FilterTypeDef

_MARKED: Final[Sequence[FilterTypeDef]] = ({"Name": "tag-key", "Values": [MARK_SAGA]},)


def inventory(clients: AwsClients, settings: AwsSettings) -> Iterator[Marked]:
    """What is marked in the regions of the settings, or else in every region that is enabled for the account."""
    for region in settings.regions or _enabled_regions(clients.ec2(settings.home_region)):
        yield from _in_region(clients.ec2(region))


def _enabled_regions(ec2: EC2Client) -> list[str]:
    """The regions that the account may use; EC2 leaves out the others unless it is asked for them."""
    return sorted(region["RegionName"] for region in ec2.describe_regions()["Regions"])


def _in_region(ec2: EC2Client) -> Iterator[Marked]:
    yield from _instances(ec2)
    yield from _interfaces(ec2)
    yield from _volumes(ec2)


def _instances(ec2: EC2Client) -> Iterator[Marked]:
    for page in ec2.get_paginator("describe_instances").paginate(Filters=_MARKED):
        for instance in (it for group in page["Reservations"] for it in group["Instances"]):
            if instance["State"]["Name"] != "terminated":
                yield _marked(instance["InstanceId"], instance.get("Tags"), instance["LaunchTime"])


def _interfaces(ec2: EC2Client) -> Iterator[Marked]:
    for page in ec2.get_paginator("describe_network_interfaces").paginate(Filters=_MARKED):
        for interface in page["NetworkInterfaces"]:
            since = interface.get("Attachment", {}).get("AttachTime")
            yield _marked(interface["NetworkInterfaceId"], interface.get("TagSet"), since)


def _volumes(ec2: EC2Client) -> Iterator[Marked]:
    for page in ec2.get_paginator("describe_volumes").paginate(Filters=_MARKED):
        for volume in page["Volumes"]:
            yield _marked(volume["VolumeId"], volume.get("Tags"), volume["CreateTime"])


def _marked(cloud_id: str, tags: Sequence[Mapping[str, Any]] | None, since: datetime | None) -> Marked:
    marks = {tag["Key"]: tag["Value"] for tag in tags or ()}
    return Marked(marks[MARK_SAGA], marks.get(MARK_RESOURCE, ""), cloud_id, since)
