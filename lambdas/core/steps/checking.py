"""Looking ahead: what a cloud would refuse of a saga, found before anything is created."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lambdas.core.model import AttachedDisk, Intent, Resource, Saga, cloud_name
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Preflight
from lambdas.core.preflight import errors_by_resource
from lambdas.core.specs import ResourceDefinition
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.provisioning import wanted
from lambdas.core.targets import Target

PLAN = "splan"
"""The saga id in the intents of a plan, which is nobody's: an id of a saga has 16 characters."""


class CheckSteps:
    """The step that asks one provider for the shortages of a saga."""

    def __init__(self, ledger: Ledger, provider: Preflight) -> None:
        self._ledger = ledger
        self._provider = provider

    def check(self, saga_id: str, cloud: str) -> int:
        """Ask once; whatever is short fails on its resource, all at once. Returns how many resources are short.

        Raises what the provider raises: a check that could not be made says nothing about the saga.
        """
        snapshot = self._ledger.snapshot(saga_id)
        if not wanted(snapshot.saga):
            return 0
        asked = [it.definition for it in snapshot.resources if it.definition.provider == cloud]
        targets = {it.id: it.target for it in snapshot.resources if it.target is not None}
        everything = [it.definition for it in snapshot.resources]
        intents = planned_intents(everything, asked, targets, saga_id, snapshot.saga.labels)
        errors = errors_by_resource(self._provider.shortages(intents))
        for resource_id, error in errors.items():
            self._refuse(saga_id, resource_id, error)
        return len(errors)

    def _refuse(self, saga_id: str, resource_id: str, error: str) -> None:
        def change(saga: Saga, resource: Resource) -> Resource:
            if resource.status is not ResourceStatus.PLANNED or not wanted(saga):
                return resource
            return resource.model_copy(update={"status": ResourceStatus.FAILED, "error": error})

        self._ledger.change_resource(saga_id, resource_id, change, error)


def planned_intents(
    everything: Iterable[ResourceDefinition],
    asked: Sequence[ResourceDefinition],
    targets: Mapping[str, Target],
    saga_id: str = PLAN,
    labels: Mapping[str, str] | None = None,
) -> list[Intent]:
    """The intents of resources of which nothing exists yet; the disks they attach are found among `everything`.

    `targets` are by resource id.
    """
    by_id = {definition.id: definition for definition in everything}
    return [
        Intent(
            saga_id=saga_id,
            definition=definition,
            target=targets.get(definition.id),
            labels=labels or {},
            disks=tuple(_planned_disk(saga_id, by_id[disk_id]) for disk_id in definition.attached_disks),
        )
        for definition in asked
    ]


def _planned_disk(saga_id: str, disk: ResourceDefinition) -> AttachedDisk:
    return AttachedDisk(disk.id, cloud_name(saga_id, disk.id), "", getattr(disk.spec, "zone", None))
