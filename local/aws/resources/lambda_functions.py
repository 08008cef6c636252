"""Lambda functions, layers, versions, aliases and who may call them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider, all_or_nothing
from local.aws.resources.conform import UnsupportedProperty, arguments

# What AWS sets where a template no longer says anything (API reference, CreateFunction).
_DEFAULTS: Mapping[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
_MAPPING_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 10,  # a queue's
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}
_CODE = ("Code", "Architectures")
_QUALIFIED = re.compile(r"(?P<function>(?:arn:[^:]+:lambda:[^:]+:\d+:function:)?[^:]+)(?::(?P<qualifier>[^:]+))?$")


class Function(ApiProvider):
    """AWS::Lambda::Function."""

    resource_type = "AWS::Lambda::Function"
    service = "lambda"
    delete_call = "delete_function"
    create_only = frozenset({"FunctionName", "PackageType"})
    name_property = "FunctionName"
    name_limit = 64

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the function from its zip, in place or in S3."""
        named = self.named(place, properties)
        reserved = named.pop("ReservedConcurrentExecutions", None)
        client = place.client("lambda")
        wanted = {**named, "Code": _code(named["Code"])}
        made = client.create_function(**arguments(client, "create_function", wanted))
        function = Resource(made["FunctionName"], {"Arn": made["FunctionArn"]})
        with all_or_nothing(lambda: self.delete(place, function, named)):
            _reserve(client, made["FunctionName"], reserved)
        return function

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change code and configuration; what the template no longer says goes back to AWS's default."""
        client, name = place.client("lambda"), resource.physical_id
        removed = set(before) - set(after) - {"Tags", "ReservedConcurrentExecutions", *_CODE}
        if lost := sorted(removed - set(_DEFAULTS)):
            raise UnsupportedProperty(f"the properties {', '.join(lost)} cannot be removed locally")
        separate = {"Tags", "ReservedConcurrentExecutions", "FunctionName", "PackageType", *_CODE}
        settings = {key: value for key, value in after.items() if key not in separate}
        settings |= {key: _DEFAULTS[key] for key in removed}
        client.update_function_configuration(
            FunctionName=name, **arguments(client, "update_function_configuration", settings)
        )
        if any(before.get(key) != after.get(key) for key in _CODE):
            wanted = {**_code(after["Code"]), "Architectures": after.get("Architectures", ["x86_64"])}
            client.update_function_code(FunctionName=name, **arguments(client, "update_function_code", wanted))
        if before.get("ReservedConcurrentExecutions") != after.get("ReservedConcurrentExecutions"):
            _reserve(client, name, after.get("ReservedConcurrentExecutions"))
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By name."""
        return {"FunctionName": resource.physical_id}


class LayerVersion(ApiProvider):
    """AWS::Lambda::LayerVersion; every change publishes another version."""

    resource_type = "AWS::Lambda::LayerVersion"
    service = "lambda"
    create_call = "publish_layer_version"
    delete_call = "delete_layer_version"
    name_property = "LayerName"
    name_limit = 64

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Always: a published version does not change."""
        return before != after

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By layer and number."""
        layer, _, number = resource.physical_id.rpartition(":")
        return {"LayerName": layer.rsplit(":", 1)[1], "VersionNumber": int(number)}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the version's ARN."""
        return Resource(answer["LayerVersionArn"], {"LayerVersionArn": answer["LayerVersionArn"]})


class Version(ApiProvider):
    """AWS::Lambda::Version: what the function is at this moment, for good."""

    resource_type = "AWS::Lambda::Version"
    service = "lambda"
    create_call = "publish_version"
    create_only = frozenset({"FunctionName", "Description", "CodeSha256"})

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the version's ARN."""
        function = answer["FunctionArn"].split(":")[:7]
        arn = ":".join([*function, answer["Version"]])
        return Resource(arn, {"Version": answer["Version"], "FunctionArn": arn})

    def delete(self, place: Place, resource: Resource, properties: Properties) -> None:
        """Delete this version only; it goes with its function otherwise."""
        function, _, number = resource.physical_id.rpartition(":")
        client = place.client("lambda")
        try:
            client.delete_function(FunctionName=function, Qualifier=number)
        except client.exceptions.ResourceNotFoundException:
            return


class Alias(ApiProvider):
    """AWS::Lambda::Alias."""

    resource_type = "AWS::Lambda::Alias"
    service = "lambda"
    create_call = "create_alias"
    update_call = "update_alias"
    delete_call = "delete_alias"
    create_only = frozenset({"FunctionName", "Name"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the alias; weights are given to the API as a mapping."""
        return super().create(place, _weighted(properties))

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Point it elsewhere."""
        after = {"Description": "", "RoutingConfig": {}, **after} if set(before) - set(after) else after
        return super().update(place, resource, _weighted(before), _weighted(after))

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By function and name."""
        return {"FunctionName": properties["FunctionName"], "Name": properties["Name"]}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the alias's ARN."""
        return Resource(answer["AliasArn"], {"AliasArn": answer["AliasArn"]})


class Permission(ApiProvider):
    """AWS::Lambda::Permission on a function, version or alias; every change replaces it."""

    resource_type = "AWS::Lambda::Permission"
    service = "lambda"
    create_call = "add_permission"
    delete_call = "remove_permission"
    name_property = "StatementId"
    name_limit = 100

    def create(self, place: Place, properties: Properties) -> Resource:
        """Add the statement to the function's policy."""
        named = self.named(place, properties)
        client = place.client("lambda")
        wanted = {**named, **_function(named["FunctionName"])}
        client.add_permission(**arguments(client, "add_permission", wanted))
        return Resource(named["StatementId"], {"Id": named["StatementId"]})

    def replaces(self, before: Properties, after: Properties) -> bool:
        """Always: a statement does not change."""
        return before != after

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By function, qualifier and statement."""
        return {**_function(properties["FunctionName"]), "StatementId": resource.physical_id}


class EventSourceMapping(ApiProvider):
    """AWS::Lambda::EventSourceMapping."""

    resource_type = "AWS::Lambda::EventSourceMapping"
    service = "lambda"
    create_call = "create_event_source_mapping"
    update_call = "update_event_source_mapping"
    delete_call = "delete_event_source_mapping"
    create_only = frozenset(
        {"EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "SelfManagedEventSource"}
    )

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change it; what the template no longer says goes back to the default that it has for a queue."""
        removed = set(before) - set(after) - {"Tags"}
        if lost := sorted(removed - set(_MAPPING_DEFAULTS)):
            raise UnsupportedProperty(f"the properties {', '.join(lost)} cannot be removed locally")
        return super().update(place, resource, before, {**{key: _MAPPING_DEFAULTS[key] for key in removed}, **after})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By UUID."""
        return {"UUID": resource.physical_id}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is the UUID."""
        arn = place.arn("lambda", f"event-source-mapping:{answer['UUID']}")
        return Resource(answer["UUID"], {"Id": answer["UUID"], "EventSourceMappingArn": arn})


class EventInvokeConfig(ApiProvider):
    """AWS::Lambda::EventInvokeConfig: retries and destinations of asynchronous calls."""

    resource_type = "AWS::Lambda::EventInvokeConfig"
    service = "lambda"
    create_call = update_call = "put_function_event_invoke_config"
    delete_call = "delete_function_event_invoke_config"
    create_only = frozenset({"FunctionName", "Qualifier"})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By function and qualifier."""
        return {"FunctionName": properties["FunctionName"], "Qualifier": properties["Qualifier"]}

    def made(self, place: Place, properties: Properties, answer: Any) -> Resource:
        """Ref is made up, as CloudFormation's is."""
        return Resource(f"{properties['FunctionName']}|{properties['Qualifier']}")


def _code(given: Mapping[str, Any]) -> dict[str, Any]:
    if "ZipFile" not in given:
        return dict(given)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), given["ZipFile"])
    return {"ZipFile": packed.getvalue()}


def _reserve(client: Any, name: str, concurrency: Any) -> None:
    if concurrency is None:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(concurrency))


def _weighted(properties: Properties) -> dict[str, Any]:
    wanted = dict(properties)
    if weights := wanted.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
        mapping = {each["FunctionVersion"]: float(each["FunctionWeight"]) for each in weights}
        wanted["RoutingConfig"] = {"AdditionalVersionWeights": mapping}
    return wanted


def _function(name_or_arn: str) -> dict[str, str]:
    parts = _QUALIFIED.match(name_or_arn)
    if parts is None:
        raise UnsupportedProperty(f"{name_or_arn} does not name a function")
    qualifier = {"Qualifier": parts["qualifier"]} if parts["qualifier"] else {}
    return {"FunctionName": parts["function"], **qualifier}


PROVIDERS = (
    Function(),
    LayerVersion(),
    Version(),
    Alias(),
    Permission(),
    EventSourceMapping(),
    EventInvokeConfig(),
)
