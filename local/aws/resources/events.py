"""EventBridge rules with their targets, and event buses."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import arguments


class Rule(ApiProvider):
    """AWS::Events::Rule with its targets."""

    resource_type = "AWS::Events::Rule"
    service = "events"
    create_only = frozenset({"Name", "EventBusName"})
    name_property = "Name"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Put the rule and its targets."""
        client = place.client("events")
        named = self.named(place, properties)
        targets = named.pop("Targets", [])
        where = {"Rule": named["Name"], **_bus(properties), "Targets": targets}
        wanted = arguments(client, "put_targets", where) if targets else {}
        arn = client.put_rule(**arguments(client, "put_rule", named))["RuleArn"]
        if wanted:
            with all_or_nothing(lambda: client.delete_rule(**_bus(properties), Name=named["Name"])):
                client.put_targets(**wanted)
        return Resource(named["Name"], {"Arn": arn})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put the rule again and take away the targets that it no longer has."""
        made = self.create(place, {**after, "Name": resource.physical_id})
        kept = {target["Id"] for target in after.get("Targets", [])}
        self._remove(place, resource, before, [t["Id"] for t in before.get("Targets", []) if t["Id"] not in kept])
        return made

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Take the targets away, then the rule."""
        client = place.client("events")
        try:
            self._remove(place, resource, properties, [target["Id"] for target in properties.get("Targets", [])])
            client.delete_rule(Name=resource.physical_id, **_bus(properties))
        except client.exceptions.ResourceNotFoundException:
            return

    @staticmethod
    def _remove(place: Place, resource: Resource, properties: Properties, ids: list[str]) -> None:
        if ids:
            place.client("events").remove_targets(Rule=resource.physical_id, **_bus(properties), Ids=ids)


class EventBus(ApiProvider):
    """AWS::Events::EventBus."""

    resource_type = "AWS::Events::EventBus"
    service = "events"
    create_call = "create_event_bus"
    delete_call = "delete_event_bus"
    create_only = frozenset({"Name"})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"Name": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["Name"], {"Arn": answer["EventBusArn"], "Name": properties["Name"]})


def _bus(properties: Properties) -> dict[str, str]:
    return {"EventBusName": properties["EventBusName"]} if "EventBusName" in properties else {}


PROVIDERS = (Rule(), EventBus())
