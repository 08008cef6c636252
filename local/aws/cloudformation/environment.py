"""What stack operations work with: the account and region, its clients, the time, and the resource types there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.provider import Place, Provider
from local.aws.cloudformation.stacks import Stack
from local.clock import Clock


@dataclass(frozen=True, slots=True)
class Environment:
    """One region of the account.

    `client(service)` gives a boto3 client there, `wait` lets seconds pass, `stacks` are all of the region's.
    """

    account_id: str
    region: str
    clock: Clock
    providers: Mapping[str, Provider]
    client: Callable[[str], Any]
    wait: Callable[[float], None]
    stacks: Mapping[str, Stack]

    def now(self) -> datetime:
        """The account's time."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def provider(self, resource_type: str) -> Provider:
        """What makes resources of this type; ValidationError names a type that nobody supports."""
        if resource_type not in self.providers:
            raise ValidationError(f"Resource type {resource_type} is not supported by the local CloudFormation")
        return self.providers[resource_type]

    def place(self, stack: Stack, logical_id: str, generation: int, *, rolling_back: bool = False) -> Place:
        """Where this resource of this stack is made."""
        return Place(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_id=logical_id,
            generation=generation,
            account_id=self.account_id,
            region=self.region,
            client=self.client,
            wait=self.wait,
            rolling_back=rolling_back,
        )

    def exports(self) -> dict[str, tuple[str, Stack]]:
        """Every export of the region: its value and the stack it comes from."""
        return {
            output.export_name: (output.value, stack)
            for stack in list(self.stacks.values())
            if stack.deleted is None
            for output in stack.outputs
            if output.export_name
        }

    def importers(self, export_name: str) -> list[str]:
        """The names of the stacks that import this export."""
        return [s.name for s in list(self.stacks.values()) if s.deleted is None and export_name in s.imports]
