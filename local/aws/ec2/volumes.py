"""The life of an EBS volume: creating, available, attaching, attached, detaching, deleting, gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidVolumeIdError, VolumeInUseError
from moto.ec2.models.elastic_block_store import Volume

from local.aws.ec2.timeline import Timeline

ATTACHABLE_STATES = frozenset({"running", "stopping", "stopped"})


class TimedVolume(Volume):  # type: ignore[misc]  # moto is untyped here
    """A moto volume whose state is the transition it is in, if any."""

    transition: str | None = None

    @property
    def status(self) -> str:
        """EBS's word for the volume's state."""
        if self.transition == "failing":
            return "creating"
        return self.transition or ("in-use" if self.attachment else "available")


class VolumeLife:
    """Moves one region's volumes from state to state as time passes."""

    def __init__(self, backend: Any, timeline: Timeline, seconds: Mapping[str, float]) -> None:
        self._backend = backend
        self._timeline = timeline
        self._seconds = seconds

    def created(self, volume: Any) -> None:
        """Start the life of a volume that CreateVolume has just made: creating, then available."""
        volume.__class__ = TimedVolume  # moto builds its own class, and gives no way to say which
        volume.transition = "creating"
        volume.create_time = datetime.fromtimestamp(self._timeline.now, UTC).replace(tzinfo=None)
        self._timeline.after(self._seconds["CreateVolume"], lambda: self._end(volume, "creating"))

    def fail(self, volume_id: str, seconds: float) -> None:
        """Have a volume that is being created end in `error`, `seconds` from now, instead of becoming available."""
        volume = self._backend.get_volume(volume_id)
        volume.transition = "failing"
        self._timeline.after(seconds, lambda: self._give_up(volume))

    def check_attachable(self, volume_id: str, instance_id: str, device: str) -> None:
        """Raise what EC2 answers where this volume cannot be attached to this instance now."""
        volume = self._backend.get_volume(volume_id)
        instance = self._backend.get_instance(instance_id)
        if volume.attachment:
            raise EC2ClientError("VolumeInUse", f"{volume_id} is already attached to an instance")
        if volume.status != "available":
            raise EC2ClientError("IncorrectState", f"{volume_id} is not 'available'.")
        if instance.state not in ATTACHABLE_STATES:
            raise EC2ClientError("IncorrectState", f"Instance '{instance_id}' is not 'running'.")
        if volume.availability_zone != instance.availability_zone:
            raise EC2ClientError(
                "InvalidVolume.ZoneMismatch",
                f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'",
            )
        if device in instance.block_device_mapping:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use",
            )

    def attached(self, volume_id: str) -> None:
        """Start the attachment that AttachVolume has just made: attaching, then attached."""
        attachment = self._backend.get_volume(volume_id).attachment
        attachment.status = "attaching"
        self._timeline.after(self._seconds["AttachVolume"], lambda: self._attach(attachment))

    def detach(self, volume_id: str, instance_id: str | None, device: str | None, *, force: bool) -> Any:
        """Begin detaching and return the attachment; a root volume of a running instance is refused, as EC2 does."""
        volume = self._backend.get_volume(volume_id)
        attachment = volume.attachment
        if not attachment or instance_id not in (None, attachment.instance_id):
            raise EC2ClientError("IncorrectState", f"Volume '{volume_id}' is in the 'available' state.")
        instance = attachment.instance
        if attachment.device == instance.root_device_name and instance.state == "running" and not force:
            raise EC2ClientError(
                "OperationNotPermitted", f"Unable to detach root volume '{volume_id}' from instance '{instance.id}'"
            )
        attachment.status = "detaching"
        device = device or attachment.device
        self._timeline.after(self._seconds["DetachVolume"], lambda: self._detach(volume, attachment, device))
        return attachment

    def delete(self, volume_id: str) -> None:
        """Begin deleting; an attached volume is refused with VolumeInUse, one that is not there is not found."""
        volume = self._backend.get_volume(volume_id)
        if volume.attachment:
            raise VolumeInUseError(volume_id, volume.attachment.instance_id)
        if volume.status == "deleting":
            raise InvalidVolumeIdError(volume_id)
        if volume.status not in ("available", "error"):
            raise EC2ClientError("IncorrectState", f"Volume {volume_id} is in the '{volume.status}' state.")
        volume.__class__ = TimedVolume
        volume.transition = "deleting"
        self._timeline.after(self._seconds["DeleteVolume"], lambda: self._backend.volumes.pop(volume_id, None))

    def _end(self, volume: Any, transition: str) -> None:
        if volume.transition == transition:
            volume.transition = None

    def _give_up(self, volume: Any) -> None:
        if volume.transition == "failing":
            volume.transition = "error"

    def _attach(self, attachment: Any) -> None:
        if attachment.status == "attaching":
            attachment.status = "attached"

    def _detach(self, volume: Any, attachment: Any, device: str) -> None:
        if volume.attachment is attachment:
            self._backend.detach_volume(volume.id, attachment.instance_id, device)
