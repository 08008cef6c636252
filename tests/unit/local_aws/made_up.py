"""Resource types that exist only here: they note what is done to them and fail where a test says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Provider, Resource
from local.aws.cloudformation.service import CloudFormation, StackRequest
from local.aws.cloudformation.stacks import Stack
from local.clock import VirtualClock


class Thing:
    """Test::Thing: `Name` makes a new one when it changes, `Size` does not, `Fail` says at which verb it fails."""

    resource_type = "Test::Thing"

    def __init__(self) -> None:
        self.alive: dict[str, Mapping[str, Any]] = {}
        self.calls: list[str] = []

    def create(self, place: Place, properties: Properties) -> Resource:
        name = properties.get("Name") or place.generated_name(40)
        self._note("create", place, properties)
        if name in self.alive:
            raise RuntimeError(f"{name} already exists")
        self.alive[name] = properties
        return Resource(name, {"Arn": f"arn:{name}", "Size": properties.get("Size", 0)})

    def replaces(self, before: Properties, after: Properties) -> bool:
        return bool(before.get("Name") != after.get("Name"))

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        self._note("update", place, after)
        self.alive[resource.physical_id] = after
        return Resource(resource.physical_id, {**resource.attributes, "Size": after.get("Size", 0)})

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        self._note("delete", place, properties)
        self.alive.pop(resource.physical_id, None)

    def _note(self, verb: str, place: Place, properties: Properties) -> None:
        self.calls.append(f"{verb} {place.logical_id}")
        if properties.get("Fail") == verb:
            raise RuntimeError(f"{verb} was to fail")


class World:
    """A region whose CloudFormation makes only things."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.things = Thing()
        providers: dict[str, Provider] = {"Test::Thing": self.things}
        self.cloudformation = CloudFormation(
            "123456789012", "us-east-1", self.clock, providers, lambda service: None, self.clock.advance
        )

    def request(self, resources: Mapping[str, Any], name: str = "s", **more: Any) -> StackRequest:
        outputs = more.pop("outputs", {})
        conditions = more.pop("Conditions", {})
        body = {"Resources": resources, "Outputs": outputs, "Conditions": conditions}
        return StackRequest(name=name, body=json.dumps(body), **more)

    def create(self, resources: Mapping[str, Any], name: str = "s", **more: Any) -> Stack:
        return self.cloudformation.create_stack(self.request(resources, name, **more))

    def update(self, resources: Mapping[str, Any], name: str = "s", **more: Any) -> Stack:
        return self.cloudformation.update_stack(self.request(resources, name, **more))


def thing(*, needs: list[str] | None = None, attributes: Mapping[str, Any] | None = None, **properties: Any) -> Any:
    """A resource of the type Test::Thing."""
    depends_on = {"DependsOn": needs} if needs else {}
    return {"Type": "Test::Thing", "Properties": properties, **depends_on, **(attributes or {})}
