"""EventBridge Scheduler: schedules and their groups."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider


class Schedule(ApiProvider):
    """AWS::Scheduler::Schedule."""

    resource_type = "AWS::Scheduler::Schedule"
    service = "scheduler"
    create_call = "create_schedule"
    update_call = "update_schedule"
    delete_call = "delete_schedule"
    create_only = frozenset({"Name", "GroupName"})
    name_property = "Name"

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By group and name."""
        group = {"GroupName": properties["GroupName"]} if "GroupName" in properties else {}
        return {"Name": resource.physical_id, **group}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["Name"], {"Arn": answer["ScheduleArn"]})


class ScheduleGroup(ApiProvider):
    """AWS::Scheduler::ScheduleGroup."""

    resource_type = "AWS::Scheduler::ScheduleGroup"
    service = "scheduler"
    create_call = "create_schedule_group"
    delete_call = "delete_schedule_group"
    create_only = frozenset({"Name"})
    name_property = "Name"

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"Name": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["Name"], {"Arn": answer["ScheduleGroupArn"]})


PROVIDERS = (Schedule(), ScheduleGroup())
