"""What RunInstances means where it says nothing: EC2's defaults, filled into the request before moto reads it."""

from __future__ import annotations

from typing import Any

ROOT_DEVICE = "/dev/sda1"  # what moto gives an image it does not know
ROOT_SIZE_GB = 8


def complete(parameters: dict[str, Any], root_device: str = ROOT_DEVICE) -> None:
    """Fill in, in place, the root volume, what is deleted on termination, and how many instances are started.

    A root volume and an interface made for the instance go with it unless the request says otherwise; another volume
    stays (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html). MaxCount is
    what is started, since there is always capacity here.
    """
    mappings = parameters.setdefault("BlockDeviceMappings", [])
    if not any(mapping.get("DeviceName") == root_device for mapping in mappings):
        mappings.insert(0, {"DeviceName": root_device, "Ebs": {"VolumeSize": ROOT_SIZE_GB}})
    for mapping in mappings:
        if "Ebs" in mapping:
            mapping["Ebs"].setdefault("DeleteOnTermination", mapping.get("DeviceName") == root_device)
            if mapping.get("DeviceName") == root_device and "SnapshotId" not in mapping["Ebs"]:
                mapping["Ebs"].setdefault("VolumeSize", ROOT_SIZE_GB)
    parameters["MinCount"] = parameters.get("MaxCount", parameters.get("MinCount", 1))


def goes_with_instance(parameters: dict[str, Any], device_index: int) -> bool:
    """Whether the interface at this index is deleted on termination: by default one that was made for the instance."""
    for interface in parameters.get("NetworkInterfaces", []):
        if int(interface.get("DeviceIndex", 0)) == device_index:
            return bool(interface.get("DeleteOnTermination", "NetworkInterfaceId" not in interface))
    return True


def zone_of(parameters: dict[str, Any], backend: Any) -> str | None:
    """The availability zone this launch names, itself or through a subnet; None where it leaves the choice to EC2."""
    subnets = [parameters.get("SubnetId"), *(nic.get("SubnetId") for nic in parameters.get("NetworkInterfaces", []))]
    for subnet_id in subnets:
        if subnet_id:
            return str(backend.get_subnet(subnet_id).availability_zone)
    zone = parameters.get("Placement", {}).get("AvailabilityZone")
    return str(zone) if zone else None
