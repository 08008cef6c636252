"""A template as data: read from JSON or YAML, and refused where it uses what is not supported here."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from local.aws.cloudformation.errors import ValidationError

_SECTIONS = frozenset(
    {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources"}
    | {"Outputs", "Rules"}  # rules only check parameters
)
_RESOURCE_ATTRIBUTES = frozenset(
    {"Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"}
)
_POLICIES = frozenset({"Delete", "Retain", "RetainExceptOnCreate"})


@dataclass(frozen=True, slots=True)
class ResourceDefinition:
    """One resource as the template declares it, nothing evaluated."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...]
    condition: str | None
    metadata: Mapping[str, Any]
    deletion_policy: str
    replace_policy: str


@dataclass(frozen=True, slots=True)
class Template:
    """A whole template; `body` is the text it came from."""

    body: str
    description: str
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceDefinition]
    outputs: Mapping[str, Mapping[str, Any]]


def parse(body: str) -> Template:
    """Read a template; ValidationError names whatever is malformed or not supported."""
    document = _load(body)
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict) or not document["Resources"]:
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    if unknown := sorted(set(document) - _SECTIONS):
        raise ValidationError(f"Template section(s) not supported locally: {', '.join(unknown)}")
    return Template(
        body=body,
        description=document.get("Description", ""),
        parameters=document.get("Parameters", {}),
        mappings=document.get("Mappings", {}),
        conditions=document.get("Conditions", {}),
        resources={name: _resource(name, declared) for name, declared in document["Resources"].items()},
        outputs=document.get("Outputs", {}),
    )


def _load(body: str) -> Any:
    if body.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):  # it may still be YAML in flow style
            return json.loads(body)
    try:
        # A subclass of SafeLoader: it makes plain data only.
        return yaml.load(body, Loader=_TemplateLoader)  # noqa: S506  # nosec B506
    except yaml.YAMLError as error:
        raise ValidationError(f"Template format error: {error}") from None


def _resource(name: str, declared: Any) -> ResourceDefinition:
    if not isinstance(declared, dict) or "Type" not in declared:
        raise ValidationError(f"Template format error: [/Resources/{name}] Every Resources object must contain a Type.")
    if unknown := sorted(set(declared) - _RESOURCE_ATTRIBUTES):
        raise ValidationError(f"Resource {name} uses what is not supported locally: {', '.join(unknown)}")
    depends_on = declared.get("DependsOn", [])
    deletion_policy = declared.get("DeletionPolicy", "Delete")
    replace_policy = declared.get("UpdateReplacePolicy", "Delete")
    for policy in (deletion_policy, replace_policy):
        if policy not in _POLICIES:
            raise ValidationError(f"Resource {name}: the policy {policy} is not supported locally")
    return ResourceDefinition(
        logical_id=name,
        type=declared["Type"],
        properties=declared.get("Properties", {}),
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        condition=declared.get("Condition"),
        metadata=declared.get("Metadata", {}),
        deletion_policy=deletion_policy,
        replace_policy=replace_policy,
    )


class _TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, and dates left as the strings that policies need."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name for the table
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _TemplateLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]  # the third of three node kinds
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_TemplateLoader.add_multi_constructor("!", _short_form)
