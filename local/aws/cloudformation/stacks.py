"""Stacks, their resources, events and change sets, as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from local.aws.cloudformation.provider import Resource
from local.aws.cloudformation.template import ResourceDefinition, Template


@dataclass(slots=True)
class StackResource:
    """A resource of a stack: how it was declared, with which properties it was made, and what it has become."""

    definition: ResourceDefinition
    properties: Mapping[str, Any]
    resource: Resource
    needs: frozenset[str]
    generation: int
    status: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One line of a stack's history."""

    event_id: str
    logical_id: str
    physical_id: str
    resource_type: str
    status: str
    reason: str | None
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a stack, exported or not."""

    key: str
    value: str
    description: str | None
    export_name: str | None


@dataclass(slots=True)
class Stack:
    """One stack; `resources` are in the order in which they were made."""

    stack_id: str
    name: str
    created: datetime
    status: str = "REVIEW_IN_PROGRESS"
    reason: str | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    template: Template | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    hidden_parameters: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    termination_protection: bool = False
    resources: dict[str, StackResource] = field(default_factory=dict)
    outputs: list[Output] = field(default_factory=list)
    imports: frozenset[str] = frozenset()
    events: list[StackEvent] = field(default_factory=list)

    def record(
        self, status: str, moment: datetime, reason: str | None = None, resource: tuple[str, str, str] | None = None
    ) -> None:
        """Add an event for `resource` (logical id, type, physical id), or for the stack, whose status it becomes."""
        if resource is None:
            self.status, self.reason = status, reason
            resource = (self.name, "AWS::CloudFormation::Stack", self.stack_id)
        logical_id, kind, physical_id = resource
        self.events.append(StackEvent(str(uuid4()), logical_id, physical_id, kind, status, reason, moment))


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set."""

    action: str
    logical_id: str
    physical_id: str | None
    resource_type: str
    replacement: str | None


@dataclass(slots=True)
class ChangeSet:
    """What would be done to a stack, until it is executed or deleted."""

    change_set_id: str
    name: str
    stack: Stack
    type: str
    template: Template
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...]
    role_arn: str | None
    description: str | None
    created: datetime
    changes: list[Change]
    status: str
    execution_status: str
    reason: str | None
