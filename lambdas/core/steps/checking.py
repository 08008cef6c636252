"""Looking ahead: what a cloud would refuse of a saga, found before anything is created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lambdas.core.model import AttachedDisk, Intent, Resource, Saga, cloud_name
from lambdas.core.ports.ledger import Ledger
from lambdas.core.ports.provider import Preflight
from lambdas.core.preflight import errors_by_resource, representatives
from lambdas.core.specs import ResourceDefinition
from lambdas.core.states import ResourceStatus
from lambdas.core.steps.paging import pages
from lambdas.core.steps.provisioning import wanted
from lambdas.core.targets import Target

PLAN: Final = "splan"
"""The saga id in the intents of a plan, which is nobody's: an id of a saga has 16 characters."""

MOST_FAILED: Final = 100
"""Resources of a cloud that fail with their shortages: each is a write, and one of them is enough to undo the saga."""


class CheckSteps:
    """The step that asks one provider for the shortages of a saga."""

    def __init__(self, ledger: Ledger, provider: Preflight) -> None:
        self._ledger = ledger
        self._provider = provider

    def check(self, saga_id: str, cloud: str) -> int:
        """Ask once; what is short fails on its resource, all at once. Returns how many resources are short.

        At most 100 of these fail, among them one for each shortage; the others, of a saga that is undone now, are never
        begun. Raises what the provider raises: a check that could not be made says nothing about the saga.
        """
        intents = self._intents(saga_id, cloud)
        short = self._provider.shortages(intents) if intents else []
        errors = errors_by_resource(short)
        for resource_id in representatives(short, MOST_FAILED):
            self._refuse(saga_id, resource_id, errors[resource_id])
        return len(errors)

    def _intents(self, saga_id: str, cloud: str) -> list[Intent]:
        """What is to be created on a cloud; nothing of a saga that does not want it any more."""
        asked: list[ResourceDefinition] = []
        targets: dict[str, Target] = {}
        same: dict[Target, Target] = {}  # thousands of resources are in a few targets
        for saga, resources in pages(self._ledger, saga_id):
            if not wanted(saga):
                return []
            here = [it for it in resources if it.definition.provider == cloud]
            asked += [it.definition for it in here]
            targets |= {it.id: same.setdefault(it.target, it.target) for it in here if it.target is not None}
        return planned_intents(asked, targets, saga_id, saga.labels)

    def _refuse(self, saga_id: str, resource_id: str, error: str) -> None:
        def change(saga: Saga, resource: Resource) -> Resource:
            if resource.status is not ResourceStatus.PLANNED or not wanted(saga):
                return resource
            return resource.model_copy(update={"status": ResourceStatus.FAILED, "error": error})

        self._ledger.change_resource(saga_id, resource_id, change, error)


def planned_intents(
    asked: Sequence[ResourceDefinition],
    targets: Mapping[str, Target],
    saga_id: str = PLAN,
    labels: Mapping[str, str] | None = None,
) -> list[Intent]:
    """The intents of resources of one cloud, of which nothing exists yet; the disks they attach are among them.

    `targets` are by resource id.
    """
    by_id = {definition.id: definition for definition in asked}
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
