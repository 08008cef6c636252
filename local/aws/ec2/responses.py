"""EC2's operations as AWS answers them: moto's own, with the ones it gets wrong replaced."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy, deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import filter_dict_attribute_mapping

from local.aws.ec2 import launch
from local.aws.ec2.region import Region, Regions
from local.aws.moto_wsgi import ActionResult, EmptyResult

# moto fails on a filter that is not in this table.
filter_dict_attribute_mapping["client-token"] = "client_token"

# moto answers these with a fixed word; here the state is the state.
_FIXED_STATES = ("RunInstances.Reservation.Instances.Instance.State", "CreateVolumeResponse.State")


class CorrectedEC2Response(EC2Response):  # type: ignore[misc]  # moto is untyped here
    """One EC2 request; what has become due by now has happened before it is looked at."""

    RESPONSE_KEY_PATH_TO_TRANSFORMER: ClassVar[dict[str, Callable[[Any], Any]]] = {
        path: transform
        for path, transform in EC2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if path not in _FIXED_STATES
    }

    def __init__(self, regions: Regions) -> None:
        super().__init__()
        self._regions = regions

    def call_action(self) -> Any:
        """Answer this request on the state of this moment."""
        self._here.timeline.settle()
        return super().call_action()

    @property
    def _here(self) -> Region:
        return self._regions.of(self.current_account, self.region)

    def run_instances(self) -> ActionResult:
        """Start instances once per client token; they are pending, and not found for a moment."""
        parameters = self.params
        self._check_image_and_type(parameters)
        zone = launch.zone_of(parameters, self._here.backend)
        if parameters.get("DryRun"):
            return super().run_instances()
        requested = deepcopy(dict(parameters))
        launch.complete(parameters)
        return self._once("RunInstances", zone, requested, self._launch)

    def _launch(self) -> ActionResult:
        result = super().run_instances()
        self._here.instances.launched(result.result)
        tags = self._parse_tag_specification().get("network-interface", {})
        for instance in result.result.instances:
            for interface in instance.nics.values():
                interface.delete_on_termination = launch.goes_with_instance(self.params, interface.device_index)
                interface.add_tags(tags)
        return result

    def _check_image_and_type(self, parameters: Any) -> None:
        image_id = parameters.get("ImageId", "")
        if image_id and not image_id.startswith("ami-"):
            raise EC2ClientError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}" (expecting "ami-...")')
        if not image_id and not parameters.get("LaunchTemplate"):
            raise EC2ClientError("MissingParameter", "The request must contain the parameter ImageId")
        instance_type = parameters.get("InstanceType")
        if instance_type and not self._here.backend.describe_instance_type_offerings(
            None, {"instance-type": [instance_type]}
        ):
            raise EC2ClientError(
                "InvalidParameterValue",
                f"Invalid value '{instance_type}' for InstanceType. Allowed values are those of this region.",
            )

    def describe_images(self) -> ActionResult:
        """Describe images; one that was never registered looks like any other, since every image id can be launched."""
        unknown = [it for it in self._get_param("ImageIds", []) if it not in self._here.backend.amis]
        if not unknown:
            return super().describe_images()
        return ActionResult({"Images": [self._unregistered(image_id) for image_id in unknown]})

    def _unregistered(self, image_id: str) -> dict[str, Any]:
        return {
            "ImageId": image_id,
            "State": "available",
            "RootDeviceName": launch.ROOT_DEVICE,
            "RootDeviceType": "ebs",
            "CreationDate": datetime.fromtimestamp(self._here.timeline.now, UTC),
        }

    def terminate_instances(self) -> ActionResult:
        """Begin terminating; volumes, interfaces and addresses go or stay when it is done."""
        self.error_on_dryrun()
        return ActionResult({"TerminatingInstances": self._here.instances.terminate(self._instance_ids())})

    def stop_instances(self) -> ActionResult:
        """Begin stopping."""
        self.error_on_dryrun()
        return ActionResult({"StoppingInstances": self._here.instances.stop(self._instance_ids())})

    def start_instances(self) -> ActionResult:
        """Begin starting."""
        self.error_on_dryrun()
        return ActionResult({"StartingInstances": self._here.instances.start(self._instance_ids())})

    def _instance_ids(self) -> list[str]:
        instance_ids: list[str] = self._get_param("InstanceIds", [])
        if not instance_ids:
            raise EC2ClientError("MissingParameter", "The request must contain the parameter InstanceId")
        return instance_ids

    def describe_instances(self) -> ActionResult:
        """Describe the instances that EC2 finds by now."""
        self._here.instances.find(self._get_param("InstanceIds", []))
        result = super().describe_instances()
        result.result["Reservations"] = [
            seen for reservation in result.result["Reservations"] if (seen := self._visible(reservation)).instances
        ]
        return result

    def _visible(self, reservation: Any) -> Any:
        seen = copy(reservation)
        seen.instances = [i for i in reservation.instances if self._here.instances.is_visible(i.id)]
        return seen

    def describe_instance_status(self) -> ActionResult:
        """Describe the checks of the instances that EC2 finds by now."""
        self._here.instances.find(self._get_param("InstanceIds", []))
        result = super().describe_instance_status()
        result.result["InstanceStatuses"] = [
            i for i in result.result["InstanceStatuses"] if self._here.instances.is_visible(i.id)
        ]
        return result

    def create_volume(self) -> ActionResult:
        """Create a volume once per client token; it is creating for a while."""
        self.error_on_dryrun()
        zone = self._get_param("AvailabilityZone")
        return self._once("CreateVolume", zone, self.params, self._create_volume)

    def _create_volume(self) -> ActionResult:
        result = super().create_volume()
        self._here.volumes.created(result.result)
        return result

    def attach_volume(self) -> ActionResult:
        """Begin attaching a volume to an instance of its zone."""
        self.error_on_dryrun()
        volume_id, instance_id = self._get_param("VolumeId"), self._get_param("InstanceId")
        self._here.instances.find([instance_id])
        self._here.volumes.check_attachable(volume_id, instance_id, self._get_param("Device"))
        result = super().attach_volume()
        self._here.volumes.attached(volume_id)
        return result

    def detach_volume(self) -> ActionResult:
        """Begin detaching a volume."""
        self.error_on_dryrun()
        attachment = self._here.volumes.detach(
            self._get_param("VolumeId"),
            self._get_param("InstanceId"),
            self._get_param("Device"),
            force=bool(self._get_param("Force")),
        )
        return ActionResult(
            {
                "AttachTime": attachment.attach_time,
                "Device": attachment.device,
                "InstanceId": attachment.instance_id,
                "VolumeId": attachment.volume_id,
                "State": "detaching",
            }
        )

    def delete_volume(self) -> ActionResult:
        """Begin deleting a volume that is attached to nothing."""
        self.error_on_dryrun()
        self._here.volumes.delete(self._get_param("VolumeId"))
        return EmptyResult()

    def create_network_interface(self) -> ActionResult:
        """Create a network interface once per client token."""
        zone = str(self._here.backend.get_subnet(self._get_param("SubnetId")).availability_zone)
        return self._once("CreateNetworkInterface", zone, self.params, super().create_network_interface)

    def delete_network_interface(self) -> ActionResult:
        """Delete a network interface that is attached to nothing."""
        interface = self._here.backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        if interface.attachment_id:
            raise EC2ClientError("InvalidParameterValue", f"Network interface '{interface.id}' is currently in use.")
        return super().delete_network_interface()

    def release_address(self) -> ActionResult:
        """Give back an address that is associated with nothing."""
        if allocation_id := self._get_param("AllocationId"):
            for address in self._here.backend.address_by_allocation([allocation_id]):
                if address.association_id:
                    raise EC2ClientError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
        return super().release_address()

    def _once(self, operation: str, zone: str | None, parameters: Any, act: Callable[[], ActionResult]) -> ActionResult:
        return self._here.tokens.once(operation, zone, parameters, act)
