"""Step Functions state machines, their published versions and the aliases that route between them."""

from __future__ import annotations

import json
import re
from typing import Any

from local.aws.cloudformation.provider import Place, Properties, Resource
from local.aws.resources.api_provider import ApiProvider
from local.aws.resources.conform import UnsupportedProperty, arguments
from local.aws.resources.traffic_shifting import shift_traffic, validated

_DEFINITION = frozenset({"Definition", "DefinitionString", "DefinitionS3Location", "DefinitionSubstitutions"})
_SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


class StateMachine(ApiProvider):
    """AWS::StepFunctions::StateMachine, its definition given in place or from S3, with substitutions."""

    resource_type = "AWS::StepFunctions::StateMachine"
    service = "stepfunctions"
    delete_call = "delete_state_machine"
    create_only = frozenset({"StateMachineName", "StateMachineType"})
    name_property = "StateMachineName"
    name_limit = 80
    gone_codes = frozenset({"StateMachineDoesNotExist"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the machine."""
        client = place.client("stepfunctions")
        wanted = {**_rest(self.named(place, properties)), "definition": definition(place, properties)}
        made = client.create_state_machine(**arguments(client, "create_state_machine", wanted, **_RENAMED))
        return _machine(client, made["stateMachineArn"])

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Change definition, role, logging and tracing; what runs goes on with the old one."""
        client = place.client("stepfunctions")
        wanted = {key: value for key, value in _rest(after).items() if key not in (*self.create_only, "Tags")}
        for removed, default in (
            ("LoggingConfiguration", {"Level": "OFF"}),
            ("TracingConfiguration", {"Enabled": False}),
        ):
            if removed in before:
                wanted.setdefault(removed, default)
        wanted |= {"stateMachineArn": resource.physical_id, "definition": definition(place, after)}
        client.update_state_machine(**arguments(client, "update_state_machine", wanted))
        return _machine(client, resource.physical_id)

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By ARN."""
        return {"stateMachineArn": resource.physical_id}


class StateMachineVersion(ApiProvider):
    """AWS::StepFunctions::StateMachineVersion: what the machine is at this moment."""

    resource_type = "AWS::StepFunctions::StateMachineVersion"
    service = "stepfunctions"
    create_call = "publish_state_machine_version"
    delete_call = "delete_state_machine_version"
    create_only = frozenset({"StateMachineArn", "StateMachineRevisionId", "Description"})
    gone_codes = frozenset({"ResourceNotFound", "StateMachineDoesNotExist"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Publish; the revision is only there to make a new version when the machine changes."""
        client = place.client("stepfunctions")
        wanted = {key: value for key, value in properties.items() if key != "StateMachineRevisionId"}
        arn = client.publish_state_machine_version(**arguments(client, self.create_call, wanted))
        return Resource(arn["stateMachineVersionArn"], {"Arn": arn["stateMachineVersionArn"]})

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By ARN."""
        return {"stateMachineVersionArn": resource.physical_id}


class StateMachineAlias(ApiProvider):
    """AWS::StepFunctions::StateMachineAlias, routed by hand or moved gradually to each new version."""

    resource_type = "AWS::StepFunctions::StateMachineAlias"
    service = "stepfunctions"
    delete_call = "delete_state_machine_alias"
    create_only = frozenset({"Name"})
    name_property = "Name"
    name_limit = 80
    gone_codes = frozenset({"ResourceNotFound", "StateMachineDoesNotExist"})

    def create(self, place: Place, properties: Properties) -> Resource:
        """Create the alias, all of it on one version where it has a deployment preference: there is no other yet."""
        client = place.client("stepfunctions")
        wanted = _routed(self.named(place, properties))
        arn = client.create_state_machine_alias(**arguments(client, "create_state_machine_alias", wanted))
        return Resource(arn["stateMachineAliasArn"], {"Arn": arn["stateMachineAliasArn"]})

    def update(self, place: Place, resource: Resource, before: Properties, after: Properties) -> Resource:
        """Route to other versions, gradually where the deployment preference says so; a roll-back is done at once."""
        client = place.client("stepfunctions")
        wanted = {"stateMachineAliasArn": resource.physical_id, **_routed(after)}
        wanted.pop("Name", None)
        if "DeploymentPreference" in after and not place.rolling_back:
            shift_traffic(place, resource.physical_id, validated(after["DeploymentPreference"]))
        client.update_state_machine_alias(**arguments(client, "update_state_machine_alias", wanted))
        return resource

    def identified(self, resource: Resource, properties: Properties) -> dict[str, Any]:
        """By ARN."""
        return {"stateMachineAliasArn": resource.physical_id}


_RENAMED = {"StateMachineName": "name", "StateMachineType": "type"}


def definition(place: Place, properties: Properties) -> str:
    """The machine's ASL with its substitutions made; one that is missing is refused by name."""
    sources = [key for key in ("Definition", "DefinitionString", "DefinitionS3Location") if key in properties]
    if len(sources) != 1:
        raise UnsupportedProperty("give exactly one of Definition, DefinitionString and DefinitionS3Location")
    if sources == ["DefinitionS3Location"]:
        location = arguments(place.client("s3"), "get_object", properties["DefinitionS3Location"], Version="VersionId")
        text = place.client("s3").get_object(**location)["Body"].read().decode()
    else:
        given = properties[sources[0]]
        text = given if isinstance(given, str) else json.dumps(given)
    substitutions = properties.get("DefinitionSubstitutions", {})
    if missing := sorted(set(_SUBSTITUTION.findall(text)) - set(substitutions)):
        raise UnsupportedProperty(f"DefinitionSubstitutions lack {', '.join(missing)}")
    return _SUBSTITUTION.sub(lambda match: str(substitutions[match[1]]), text)


def _rest(properties: Properties) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in _DEFINITION}


def _machine(client: Any, arn: str) -> Resource:
    revision = client.describe_state_machine(stateMachineArn=arn).get("revisionId", "INITIAL")
    return Resource(arn, {"Arn": arn, "Name": arn.rsplit(":", 1)[1], "StateMachineRevisionId": revision})


def _routed(properties: Properties) -> dict[str, Any]:
    if ("DeploymentPreference" in properties) == ("RoutingConfiguration" in properties):
        raise UnsupportedProperty("give exactly one of DeploymentPreference and RoutingConfiguration")
    rest = {key: value for key, value in properties.items() if key != "DeploymentPreference"}
    if "DeploymentPreference" in properties:
        version = validated(properties["DeploymentPreference"])["StateMachineVersionArn"]
        rest["RoutingConfiguration"] = [{"stateMachineVersionArn": version, "weight": 100}]
    return rest


PROVIDERS = (StateMachine(), StateMachineVersion(), StateMachineAlias())
