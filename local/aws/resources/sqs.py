"""SQS queues and their policies."""

from __future__ import annotations

import json
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider
from local.aws.resources.conform import UnsupportedProperty, refuse_others, tag_mapping

_ATTRIBUTES = frozenset(
    {"ContentBasedDeduplication", "DeduplicationScope", "DelaySeconds", "FifoQueue", "FifoThroughputLimit"}
    | {"KmsDataKeyReusePeriodSeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod"}
    | {"ReceiveMessageWaitTimeSeconds", "RedriveAllowPolicy", "RedrivePolicy", "SqsManagedSseEnabled"}
    | {"VisibilityTimeout"}
)


class Queue(ApiProvider):
    """AWS::SQS::Queue; its properties are the API's attributes, as strings."""

    resource_type = "AWS::SQS::Queue"
    service = "sqs"
    delete_call = "delete_queue"
    create_only = frozenset({"QueueName", "FifoQueue"})
    gone_codes = frozenset({"AWS.SimpleQueueService.NonExistentQueue"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the queue with every attribute."""
        attributes = _attributes(properties)
        suffix = ".fifo" if attributes.get("FifoQueue") == "true" else ""
        name = properties.get("QueueName") or place.generated_name(80 - len(suffix)) + suffix
        client = place.client("sqs")
        url = client.create_queue(QueueName=name, Attributes=attributes, tags=tag_mapping(properties.get("Tags")))
        return Resource(
            url["QueueUrl"], {"Arn": place.arn("sqs", name), "QueueName": name, "QueueUrl": url["QueueUrl"]}
        )

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Set the attributes; one that the template no longer has is refused, since its default is not known here."""
        if removed := sorted(set(before) - set(after) - {"Tags", "RedrivePolicy"}):
            raise UnsupportedProperty(f"the properties {', '.join(removed)} cannot be removed locally")
        attributes = _attributes(after)
        if "RedrivePolicy" in before and "RedrivePolicy" not in after:
            attributes["RedrivePolicy"] = ""
        attributes.pop("FifoQueue", None)
        place.client("sqs").set_queue_attributes(QueueUrl=resource.physical_id, Attributes=attributes)
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By URL."""
        return {"QueueUrl": resource.physical_id}


class QueuePolicy:
    """AWS::SQS::QueuePolicy: the policy attribute of some queues."""

    resource_type = "AWS::SQS::QueuePolicy"

    def create(self, place: Place, properties: Properties) -> Resource:
        """Set the policy of each queue."""
        refuse_others(properties, ("Queues", "PolicyDocument"))
        _set_policy(place, properties["Queues"], properties["PolicyDocument"])
        name = place.generated_name(64)
        return Resource(name, {"Id": name})

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Never."""
        return False

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Take the policy from queues that are no longer named, and set it on the others."""
        _set_policy(place, [q for q in before["Queues"] if q not in after["Queues"]], None)
        _set_policy(place, after["Queues"], after["PolicyDocument"])
        return resource

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Take the policy away."""
        _set_policy(place, properties["Queues"], None)


def _attributes(properties: Properties) -> dict[str, str]:
    refuse_others(properties, _ATTRIBUTES | {"QueueName", "Tags"})
    return {key: _text(value) for key, value in properties.items() if key in _ATTRIBUTES}


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _set_policy(place: Place, queues: list[str], document: Any) -> None:
    client = place.client("sqs")
    for url in queues:
        try:
            policy = json.dumps(document) if document else ""
            client.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        except client.exceptions.QueueDoesNotExist:
            if document:
                raise


PROVIDERS = (Queue(), QueuePolicy())
