"""Azure as a provider: virtual machines with their network interfaces, OS disks and addresses, and managed disks.

Putting a resource of a deterministic name is what makes a create idempotent: Resource Manager takes no token. A put
overwrites, though, so a virtual machine is put only where there is none (If-None-Match), and the others, whose puts
cannot be conditional, are looked at first. Everything is looked up by name, never in a list: lists lag behind
(cloudfoundry/bosh-azure-cpi-release#765), and nothing of ours has a name that does not follow from the intent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from azure.core import MatchConditions

from lambdas.azure.bodies import body_of
from lambdas.azure.clients import AzureClients, AzureSubscriptions
from lambdas.azure.errors import ABSENT_CODES, EXISTS_CODE, failed_operation, translated, waits_for_another
from lambdas.azure.inventory import inventory
from lambdas.azure.operations import OneLook, Progress, handle_of, look_at
from lambdas.azure.parts import MACHINE, Part, all_parts, created_parts, group_of, part_named
from lambdas.azure.preflight import shortages
from lambdas.azure.settings import AzureSettings
from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, Intent
from lambdas.core.ports.provider import Marked, Observation
from lambdas.core.preflight import Shortage, grouped
from lambdas.core.targets import Target

_IF_MISSING: Final = {"etag": "*", "match_condition": MatchConditions.IfMissing}


class AzureProvider:
    """Every subscription that is a target, in every region and resource group."""

    def __init__(self, subscriptions: AzureSubscriptions, settings: AzureSettings) -> None:
        self._subscriptions = subscriptions
        self._settings = settings

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """The provider that the function's environment describes; raises MissingSettings."""
        settings = AzureSettings.from_environment(environ)
        return cls(AzureSubscriptions(settings), settings)

    @property
    def settling_seconds(self) -> float:
        """How long something must stay unfound before it counts as gone."""
        return self._settings.settling_seconds

    @property
    def repeat_seconds(self) -> float:
        """None: a repeated request is recognised."""
        return 0

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """A public address if there is to be one, the network interface, the machine; or a disk."""
        return tuple(part.name for part in created_parts(intent))

    def create(self, intent: Intent, part: str) -> str:
        """Begin creating a part; the handle is a continuation token, or "" when it was there already."""
        wanted = part_named(intent, part)
        if not wanted.conditional and self._adopts(wanted, intent):
            return ""
        try:
            return self._put(wanted, intent)
        except TerminalError as error:
            if error.code != EXISTS_CODE:
                raise
        if self._adopts(wanted, intent):
            return ""
        raise RetryableError(EXISTS_CODE, f"{wanted.resource_name(intent)} exists but cannot be seen yet")

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at the operation and, when it is done or unknown, at the resource."""
        wanted = part_named(intent, part)
        if handle := intent.operations.get(part, ""):
            progress = self._look_at_operation(wanted, intent, handle)
            if progress and progress.failure:
                raise failed_operation(*progress.failure)
            if progress and not progress.done:
                return Observation(ready=False, cloud_id=wanted.resource_id(intent, self._at(intent).subscription_id))
        resource = self._get(wanted, intent)
        if resource is None:
            return Observation(ready=False)
        _require_ours(resource, intent)
        if _state(resource) in ("failed", "canceled"):
            raise self._failure(wanted, intent)
        return Observation(ready=_state(resource) == "succeeded", cloud_id=resource["id"])

    def delete(self, intent: Intent) -> None:
        """Begin deleting what nothing holds on to: the machine first, then its OS disk and interface, then the address.

        What the machine takes along when it goes is looked for all the same: a create that failed may have left it.
        """
        existing = self._existing(intent)
        for part, resource in existing.items():
            if part.held_by not in {holder.name for holder in existing} and _state(resource) != "deleting":
                self._delete(part, intent)

    def find(self, intent: Intent) -> list[str]:
        """The ids of every part that is there, in whatever state."""
        return [resource["id"] for resource in self._existing(intent).values()]

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """What Azure would refuse of the intents if they were created now."""
        found: list[Shortage] = []
        with translated():
            for target, here in grouped(intents, lambda intent: intent.target).items():
                found += shortages(self._subscriptions.of(target), here)
        return found

    def inventory(self, target: Target | None = None) -> list[Marked]:
        """Everything in a target that carries the mark of any saga."""
        with translated():
            return list(inventory(self._subscriptions.of(target)))

    def _at(self, intent: Intent) -> AzureClients:
        return self._subscriptions.of(intent.target)

    def _existing(self, intent: Intent) -> dict[Part, Mapping[str, Any]]:
        found = {part: self._get(part, intent) for part in all_parts(intent)}
        return {part: resource for part, resource in found.items() if resource and _is_ours(resource, intent)}

    def _get(self, part: Part, intent: Intent, **options: str) -> Mapping[str, Any] | None:
        try:
            with translated():
                collection = part.collection(self._at(intent))
                resource: Mapping[str, Any] = collection.get(group_of(intent), part.resource_name(intent), **options)
        except TerminalError as error:
            if error.code in ABSENT_CODES:
                return None
            raise
        return resource

    def _put(self, part: Part, intent: Intent) -> str:
        body = body_of(part, intent, self._at(intent).subscription_id)
        condition = _IF_MISSING if part.conditional else {}
        with translated():
            poller = part.collection(self._at(intent)).begin_create_or_update(
                group_of(intent), part.resource_name(intent), body, polling=OneLook(), **condition
            )
            return handle_of(poller)

    def _delete(self, part: Part, intent: Intent) -> None:
        try:
            with translated():
                collection = part.collection(self._at(intent))
                collection.begin_delete(group_of(intent), part.resource_name(intent), polling=False)
        except StepError as error:
            if error.code not in ABSENT_CODES and not waits_for_another(error):
                raise

    def _adopts(self, part: Part, intent: Intent) -> bool:
        """Whether it is there already and ours; raises if it is somebody else's, or on its way out."""
        resource = self._get(part, intent)
        if resource is None:
            return False
        _require_ours(resource, intent)
        if _state(resource) == "deleting":
            raise RetryableError(EXISTS_CODE, f"{resource['id']} is still being deleted")
        return True

    def _look_at_operation(self, part: Part, intent: Intent, handle: str) -> Progress | None:
        resume = part.collection(self._at(intent)).begin_create_or_update
        return look_at(resume, group_of(intent), part.resource_name(intent), handle, self._settings.endpoint)

    def _failure(self, part: Part, intent: Intent) -> StepError:
        """Why a part failed: only a virtual machine still says so once its operation is unknown."""
        resource = self._get(part, intent, expand="instanceView") if part is MACHINE else None
        properties = resource["properties"] if resource else {}
        for status in (properties.get("instanceView") or {}).get("statuses") or []:
            _, _, code = status["code"].partition("/failed/")
            if code:
                return failed_operation(code, status.get("message") or "no reason given")
        return failed_operation("ProvisioningFailed", f"{part.resource_name(intent)} was accepted and then failed")


def _is_ours(resource: Mapping[str, Any], intent: Intent) -> bool:
    tags = resource.get("tags") or {}
    return (tags.get(MARK_SAGA), tags.get(MARK_RESOURCE)) == (intent.saga_id, intent.resource_id)


def _require_ours(resource: Mapping[str, Any], intent: Intent) -> None:
    if not _is_ours(resource, intent):
        raise TerminalError(EXISTS_CODE, f"{resource['id']} is somebody else's")


def _state(resource: Mapping[str, Any]) -> str:
    return str(resource["properties"].get("provisioningState", "")).lower()
