"""What virtual machines and disks have in common: both belong to Microsoft.Compute."""

from __future__ import annotations

from local.simulators.azure.errors import ArmError, Failure
from local.simulators.azure.resource import Resource, ResourceKind


class ComputeKind(ResourceKind):
    """A kind of Microsoft.Compute, with that provider's way of saying that it is busy or broken."""

    def busy_error(self, resource: Resource) -> ArmError:
        """What a write is answered with while another one is under way."""
        message = (
            "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
            "https://aka.ms/activitylog to get more details on the conflicting requests."
        )
        return ArmError(409, "Conflict", message)

    def internal_error(self) -> Failure:
        """How an accepted operation ends when the cloud itself broke."""
        return Failure("InternalExecutionError", "An internal execution error occurred. Please retry later.")

    def deleting_error(self, resource: Resource) -> ArmError:
        """What a put is answered with while the same thing is being deleted."""
        return self.busy_error(resource)
