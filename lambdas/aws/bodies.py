"""What RunInstances is asked for: the request that an intent stands for.

Reference: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdas.core.errors import TerminalError
from lambdas.core.model import Intent
from lambdas.core.specs import AwsInstance

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def instance(ec2: EC2Client, intent: Intent, definition: AwsInstance, token: str) -> dict[str, Any]:
    """The request for one instance with its interface and boot volume, tagged from the first moment.

    Asks EC2 for the image's root device when the boot volume is to have a size of its own.
    """
    spec = definition.spec
    interface: dict[str, Any] = {
        "DeviceIndex": 0,
        "DeleteOnTermination": True,
        "AssociatePublicIpAddress": spec.public_address,
    }
    if spec.subnet:
        interface["SubnetId"] = spec.subnet
    if spec.security_groups:
        interface["Groups"] = spec.security_groups
    request: dict[str, Any] = {
        "ClientToken": token,
        "ImageId": spec.image,
        "InstanceType": spec.size,
        "MinCount": 1,
        "MaxCount": 1,
        "NetworkInterfaces": [interface],
        "MetadataOptions": {"HttpTokens": "required"},
        "TagSpecifications": [tags(intent, kind) for kind in ("instance", "volume", "network-interface")],
    }
    zone = zone_of(intent)
    if zone and not spec.subnet:  # otherwise EC2 may choose another zone than the disks', which could not be attached
        request["Placement"] = {"AvailabilityZone": zone}
    if spec.disk_gb:
        boot = {"VolumeSize": spec.disk_gb, "DeleteOnTermination": True}
        request["BlockDeviceMappings"] = [{"DeviceName": _root_device(ec2, spec.image), "Ebs": boot}]
    return request


def zone_of(intent: Intent) -> str | None:
    """The availability zone of the disks that an instance is to have; None where it has none."""
    return next((disk.zone for disk in intent.disks if disk.zone), None)


def tags(intent: Intent, kind: str) -> dict[str, Any]:
    """The tag specification of a resource type: the intent's name and marks."""
    named = {"Name": intent.name, **intent.marks}
    return {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in named.items()]}


def _root_device(ec2: EC2Client, image: str) -> str:
    images = ec2.describe_images(ImageIds=[image])["Images"]
    if not images:
        raise TerminalError("InvalidAMIID.NotFound", f"the image {image} does not exist")
    return images[0].get("RootDeviceName", "/dev/xvda")
