"""SNS topics, subscriptions and topic policies."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider
from local.aws.resources.conform import refuse_others

_TOPIC_ATTRIBUTES = frozenset(
    {"DisplayName", "FifoTopic", "KmsMasterKeyId", "ContentBasedDeduplication", "TracingConfig", "SignatureVersion"}
)
_SUBSCRIPTION_ATTRIBUTES = frozenset(
    {"DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"}
)


class Topic(ApiProvider):
    """AWS::SNS::Topic; subscriptions are resources of their own here."""

    resource_type = "AWS::SNS::Topic"
    service = "sns"
    delete_call = "delete_topic"
    create_only = frozenset({"TopicName", "FifoTopic"})
    name_property = "TopicName"
    name_limit = 200
    gone_codes = frozenset({"NotFound"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the topic with its attributes."""
        named = self.named(place, properties)
        attributes = _attributes(named, _TOPIC_ATTRIBUTES, {"TopicName", "Tags"})
        made = place.client("sns").create_topic(
            Name=named["TopicName"], Attributes=attributes, Tags=named.get("Tags", [])
        )
        return Resource(made["TopicArn"], {"TopicArn": made["TopicArn"], "TopicName": named["TopicName"]})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Set the attributes that changed."""
        old, new = (_attributes(each, _TOPIC_ATTRIBUTES, {"TopicName", "Tags"}) for each in (before, after))
        for name in {*old, *new}:
            if old.get(name) != new.get(name):
                place.client("sns").set_topic_attributes(
                    TopicArn=resource.physical_id, AttributeName=name, AttributeValue=new.get(name, "")
                )
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By ARN."""
        return {"TopicArn": resource.physical_id}


class Subscription(ApiProvider):
    """AWS::SNS::Subscription."""

    resource_type = "AWS::SNS::Subscription"
    service = "sns"
    delete_call = "unsubscribe"
    create_only = frozenset({"TopicArn", "Protocol", "Endpoint", "Region"})
    gone_codes = frozenset({"NotFound"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Subscribe."""
        where = {"TopicArn", "Protocol", "Endpoint", "Region"}
        made = place.client("sns").subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties.get("Endpoint", ""),
            Attributes=_attributes(properties, _SUBSCRIPTION_ATTRIBUTES, where),
            ReturnSubscriptionArn=True,
        )
        return Resource(made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Set the attributes."""
        where = {"TopicArn", "Protocol", "Endpoint", "Region"}
        for name, value in _attributes(after, _SUBSCRIPTION_ATTRIBUTES, where).items():
            place.client("sns").set_subscription_attributes(
                SubscriptionArn=resource.physical_id, AttributeName=name, AttributeValue=value
            )
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By ARN."""
        return {"SubscriptionArn": resource.physical_id}


class TopicPolicy:
    """AWS::SNS::TopicPolicy: the policy attribute of some topics; deleting it leaves SNS's default in AWS."""

    resource_type = "AWS::SNS::TopicPolicy"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Set the policy of each topic."""
        refuse_others(properties, ("Topics", "PolicyDocument"))
        for topic in properties["Topics"]:
            place.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
            )
        name = place.generated_name(64)
        return Resource(name, {"Id": name})

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Never."""
        return False

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Set the policy again."""
        self.create(place, after)
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Leave the topics, which usually go with it, as they are."""


def _attributes(properties: Properties, known: frozenset[str], others: set[str]) -> dict[str, str]:
    refuse_others(properties, known | others)
    return {
        key: json.dumps(value)
        if isinstance(value, dict)
        else str(value).lower()
        if value in (True, False)
        else str(value)
        for key, value in properties.items()
        if key in known
    }


PROVIDERS = (Topic(), Subscription(), TopicPolicy())
