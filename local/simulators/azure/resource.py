"""A resource of the simulated Azure, the operation under way on it, and what each kind of resource decides itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from local.simulators.azure.errors import ArmError, Failure

if TYPE_CHECKING:
    from local.simulators.azure.estate import Estate


class State(StrEnum):
    """A resource's `provisioningState`."""

    CREATING = "Creating"
    UPDATING = "Updating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    DELETING = "Deleting"


@dataclass
class Operation:
    """One asynchronous operation: when it began and will end (Unix seconds), and how, once it has `ended`."""

    id: str
    resource: Resource
    deletes: bool
    started: float
    ends: float
    failure: Failure | None = None
    ended: float | None = None


@dataclass
class Resource:
    """One tracked resource; `body` is what was last put, `given` what Azure itself added to it."""

    kind: ResourceKind
    subscription: str
    group: str
    name: str
    body: dict[str, Any]
    created_at: float
    state: State = State.CREATING
    operation: Operation | None = None
    failure: Failure | None = None
    given: dict[str, Any] = field(default_factory=dict)
    version: int = 1

    @property
    def id(self) -> str:
        """Its resource id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/providers/{self.kind.type}/{self.name}"

    @property
    def location(self) -> str:
        """Its region."""
        return str(self.body["location"])

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self.body.get("tags") or {})

    @property
    def properties(self) -> dict[str, Any]:
        """What was put as its properties."""
        return self.body.get("properties") or {}

    @property
    def etag(self) -> str:
        """The entity tag of its present version."""
        return f'W/"{self.version}"'

    @property
    def busy(self) -> bool:
        """Whether an operation on it is under way."""
        return self.operation is not None and self.operation.ended is None


class ResourceKind(ABC):
    """What differs between kinds of resources: their names on the wire, durations, rules and side effects.

    The methods that do nothing here (B027) are hooks that most kinds leave alone.
    """

    type: str
    """The resource type, such as `Microsoft.Compute/virtualMachines`."""
    operations: str
    """The prefix of the kind's operation ids in Azure's API specifications, such as `VirtualMachines`."""
    put_status: int
    """The HTTP status of a put that is accepted and still under way."""

    @property
    def namespace(self) -> str:
        """The resource provider, such as `Microsoft.Compute`."""
        return self.type.split("/")[0]

    @property
    def collection(self) -> str:
        """The last part of the type, such as `virtualMachines`."""
        return self.type.split("/")[1]

    @abstractmethod
    def create_seconds(self, estate: Estate) -> float:
        """How long a put takes."""

    @abstractmethod
    def delete_seconds(self, estate: Estate) -> float:
        """How long a delete takes."""

    @abstractmethod
    def validate(self, estate: Estate, resource: Resource) -> None:
        """Raise ArmError unless everything it says and refers to is right; `resource` is not in the estate yet."""

    @abstractmethod
    def render(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """The properties that a GET answers with, `provisioningState` excepted."""

    @abstractmethod
    def stockout(self, resource: Resource) -> Failure:
        """How an accepted put ends for want of capacity or quota."""

    @abstractmethod
    def internal_error(self) -> Failure:
        """How an accepted operation ends when the cloud itself broke."""

    @abstractmethod
    def check_deletable(self, estate: Estate, resource: Resource, at: float) -> None:
        """Raise ArmError if something still holds on to it at that moment."""

    @abstractmethod
    def busy_error(self, resource: Resource) -> ArmError:
        """What a write is answered with while another one is under way."""

    @abstractmethod
    def deleting_error(self, resource: Resource) -> ArmError:
        """What a put is answered with while the same thing is being deleted."""

    def envelope(self, estate: Estate, resource: Resource) -> dict[str, Any]:
        """What a GET answers with beside the properties."""
        return {}

    def check_change(self, before: Resource, after: Resource) -> None:  # noqa: B027
        """Raise ArmError if a put would change what cannot be changed."""

    def accepted(self, estate: Estate, resource: Resource, at: float, failure: Failure | None) -> None:  # noqa: B027
        """What comes into being as soon as a put is accepted; `failure` is how it will end."""

    def failed(self, estate: Estate, resource: Resource, at: float) -> None:  # noqa: B027
        """What a put that ended badly leaves behind."""

    def deleted(self, estate: Estate, resource: Resource, at: float) -> None:  # noqa: B027
        """What goes along when it is gone."""

    def preempt(self, resource: Resource, at: float) -> None:
        """Make way for a delete while a put is under way; kinds that cannot raise what they answer instead."""
        raise self.busy_error(resource)
