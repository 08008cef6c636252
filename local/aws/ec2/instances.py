"""The life of an instance: not found yet, pending, running, shutting-down, terminated, forgotten; what outlives it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidInstanceIdError, OperationNotPermitted4
from moto.ec2.models.instances import StateReason

from local.aws.ec2.timeline import Timeline

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html
STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


class InstanceLife:
    """Moves one region's instances from state to state as time passes."""

    def __init__(self, backend: Any, timeline: Timeline, seconds: Mapping[str, float]) -> None:
        self._backend = backend
        self._timeline = timeline
        self._seconds = seconds
        self._visible_from: dict[str, float] = {}
        self._doomed: set[str] = set()
        self.stale_seconds = 0.0  # what was launched so lately is not found, while a simulator plays a stale read

    def launched(self, reservation: Any) -> None:
        """Start the life of what RunInstances has just made: found only after a while, pending, then running."""
        for instance in reservation.instances:
            instance.launch_time = datetime.fromtimestamp(self._timeline.now, UTC).replace(tzinfo=None)
            for device in instance.block_device_mapping.values():
                self._backend.get_volume(device.volume_id).create_time = instance.launch_time
            self._visible_from[instance.id] = self._timeline.now + self._seconds["Visibility"]
            _set_state(instance, "pending")
            self._later("RunInstances", instance, "pending", "running")

    def is_visible(self, instance_id: str) -> bool:
        """Whether EC2 finds this instance already."""
        return self._visible_from.get(instance_id, 0.0) + self.stale_seconds <= self._timeline.now

    def fail(self, instance_id: str, seconds: float, code: str, message: str) -> None:
        """Have a pending instance terminate `seconds` from now instead of running, for this state-change reason."""
        instance = self._backend.get_instance(instance_id)
        self._doomed.add(instance_id)

        def give_up() -> None:
            if instance.state == "pending":
                self._terminated(instance)
                instance.state_reason = StateReason(message, code)

        self._timeline.after(seconds, give_up)

    def find(self, instance_ids: Iterable[str]) -> list[Any]:
        """The visible instances with these ids, in this order; InvalidInstanceID.NotFound names what is missing."""
        known = {instance.id: instance for instance in self._backend.all_instances() if self.is_visible(instance.id)}
        wanted = list(dict.fromkeys(instance_ids))
        if missing := [instance_id for instance_id in wanted if instance_id not in known]:
            raise InvalidInstanceIdError(missing)
        return [known[instance_id] for instance_id in wanted]

    def terminate(self, instance_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Begin terminating all of them, or none where one is protected; repeating it changes nothing."""
        instances = self.find(instance_ids)
        for instance in instances:
            if instance.disable_api_termination:
                raise OperationNotPermitted4(instance.id)
        return [self._begin(instance, "terminated", "shutting-down", "TerminateInstances") for instance in instances]

    def stop(self, instance_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Begin stopping running instances; one in another state than running or stopped is IncorrectInstanceState."""
        return [self._switch(i, "running", "stopping", "stopped", "StopInstances") for i in self.find(instance_ids)]

    def start(self, instance_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Begin starting stopped instances; one in another state than running or stopped is IncorrectInstanceState."""
        return [self._switch(i, "stopped", "pending", "running", "StartInstances") for i in self.find(instance_ids)]

    def _switch(self, instance: Any, source: str, transition: str, target: str, operation: str) -> dict[str, Any]:
        if instance.state not in (source, transition, target):
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which it can be {target}.",
            )
        return self._begin(instance, target, transition, operation)

    def _begin(self, instance: Any, target: str, transition: str, operation: str) -> dict[str, Any]:
        previous = _state(instance.state)
        if instance.state not in (target, transition):
            _set_state(instance, transition)
            self._later(operation, instance, transition, target)
        return {"InstanceId": instance.id, "CurrentState": _state(instance.state), "PreviousState": previous}

    def _later(self, operation: str, instance: Any, transition: str, target: str) -> None:
        def arrive() -> None:
            if instance.state == transition and (target == "terminated" or instance.id not in self._doomed):
                self._arrive(instance, target)

        self._timeline.after(self._seconds[operation], arrive)

    def _arrive(self, instance: Any, target: str) -> None:
        if target == "terminated":
            self._terminated(instance)
        elif target == "stopped":
            instance.stop()
        else:
            instance.start()

    def _terminated(self, instance: Any) -> None:
        """Only what was to be deleted goes: other volumes, interfaces and addresses stay and become free."""
        interfaces = list(instance.nics.values())
        for address in self._backend.addresses:
            if address.instance is instance or address.eni in interfaces:
                self._backend.disassociate_address(address=address.public_ip)
        instance.terminate()
        for interface in interfaces:
            _set_free(interface)
        self._timeline.after(self._seconds["TerminatedVisibility"], lambda: self._forget(instance))

    def _forget(self, instance: Any) -> None:
        for reservation in list(self._backend.reservations.values()):
            if instance in reservation.instances:
                reservation.instances.remove(instance)
            if not reservation.instances:
                del self._backend.reservations[reservation.id]


def _set_free(interface: Any) -> None:
    """Detached, but still known to the instance: moto describes a terminated one by its first interface."""
    interface.instance = interface.attachment_id = interface.attach_time = interface.device_index = None
    interface.status = "available"


def _state(name: str) -> dict[str, Any]:
    return {"Name": name, "Code": STATE_CODES[name]}


def _set_state(instance: Any, name: str) -> None:
    instance._state.name = name
    instance._state.code = STATE_CODES[name]
