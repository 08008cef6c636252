"""CloudWatch alarms and dashboards."""

from __future__ import annotations

from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider


class Alarm(ApiProvider):
    """AWS::CloudWatch::Alarm; putting it again replaces all of it."""

    resource_type = "AWS::CloudWatch::Alarm"
    service = "cloudwatch"
    create_call = "put_metric_alarm"
    create_only = frozenset({"AlarmName"})
    name_property = "AlarmName"
    name_limit = 255

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put it again."""
        return self.create(place, {**after, "AlarmName": resource.physical_id})

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Delete it; one that is not there is no failure."""
        place.client("cloudwatch").delete_alarms(AlarmNames=[resource.physical_id])

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        name = properties["AlarmName"]
        return Resource(name, {"Arn": place.arn("cloudwatch", f"alarm:{name}")})


class CompositeAlarm(Alarm):
    """AWS::CloudWatch::CompositeAlarm; putting it again replaces all of it."""

    resource_type = "AWS::CloudWatch::CompositeAlarm"
    create_call = "put_composite_alarm"


class Dashboard(ApiProvider):
    """AWS::CloudWatch::Dashboard; putting it again replaces all of it."""

    resource_type = "AWS::CloudWatch::Dashboard"
    service = "cloudwatch"
    create_call = "put_dashboard"
    create_only = frozenset({"DashboardName"})
    name_property = "DashboardName"
    name_limit = 255

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Put it again."""
        return self.create(place, {**after, "DashboardName": resource.physical_id})

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Delete it."""
        client = place.client("cloudwatch")
        try:
            client.delete_dashboards(DashboardNames=[resource.physical_id])
        except client.exceptions.ResourceNotFound:
            return

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the name."""
        return Resource(properties["DashboardName"])


PROVIDERS = (Alarm(), CompositeAlarm(), Dashboard())
