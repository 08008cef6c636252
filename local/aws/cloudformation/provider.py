"""The contract between CloudFormation and what makes resources of one type."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Properties = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that exists: what Ref gives, and what Fn::GetAtt gives by name."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is made: its stack, its account and region, and the AWS clients that make it.

    `wait` lets seconds pass; `rolling_back` is set while an update is taken back.
    """

    stack_id: str
    stack_name: str
    logical_id: str
    generation: int
    account_id: str
    region: str
    client: Callable[[str], Any]
    wait: Callable[[float], None]
    rolling_back: bool = False

    def generated_name(self, limit: int, *, lowercase: bool = False) -> str:
        """The name of a resource that is given none, as CloudFormation makes them: stack, logical id, a unique part."""
        seed = f"{self.stack_id}/{self.logical_id}/{self.generation}".encode()
        unique = base64.b32encode(hashlib.sha256(seed).digest()).decode()[:12]
        room = limit - len(unique) - 1
        readable = f"{self.stack_name}-{self.logical_id}"
        if len(readable) > room:
            readable = f"{self.stack_name[: room // 2 - 1]}-{self.logical_id[: room - room // 2]}"
        name = f"{readable}-{unique}"
        return name.lower() if lowercase else name

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"


class Refusal(ValueError):
    """Properties that a provider cannot honour, noticed before anything was made or changed."""


class Provider(Protocol):
    """Makes, changes and deletes resources of one type; each call is done when it returns.

    Any exception fails the resource, and with it the stack. A create that fails must leave nothing behind; an update
    that fails may have been made in part, unless it raises Refusal. Deleting what is not there any more is no failure.
    """

    @property
    def resource_type(self) -> str:
        """CloudFormation's name of the type, "AWS::SQS::Queue"."""
        ...

    def create(self, place: Place, properties: Properties) -> Resource:
        """Make it; a property that cannot be honoured is refused by name, never dropped."""
        ...

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Whether this change needs a new resource in the place of the old one."""
        ...

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change it in place."""
        ...

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Remove it."""
        ...
