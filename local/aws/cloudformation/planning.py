"""What a template would change about a stack, before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.aws.cloudformation.environment import Environment
from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.intrinsics import Evaluator
from local.aws.cloudformation.ordering import creation_order, dependencies
from local.aws.cloudformation.provisioning import evaluator_for
from local.aws.cloudformation.stacks import Change, Stack, StackResource
from local.aws.cloudformation.surroundings import StackSurroundings
from local.aws.cloudformation.template import ResourceDefinition, Template

_UNKNOWN = object()


def differs(stack: Stack, template: Template, given: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """Whether there is anything to do; a template's formatting is not a difference."""
    current = stack.template
    if current is None or dict(stack.parameters) != dict(given) or dict(stack.tags) != dict(tags):
        return True
    parts = ("description", "parameters", "mappings", "conditions", "resources", "outputs")
    return any(getattr(current, part) != getattr(template, part) for part in parts)


def changes(environment: Environment, stack: Stack, template: Template, given: Mapping[str, str]) -> list[Change]:
    """The resources to add, modify and remove; ValidationError where the template cannot be carried out here."""
    evaluator = evaluator_for(environment, stack, template, given, StackSurroundings(environment, stack))
    order = creation_order(dependencies(template, evaluator))
    planned = []
    for name in order:
        definition = template.resources[name]
        environment.provider(definition.type)
        change = _change(environment, evaluator, definition, stack.resources.get(name))
        if change:
            planned.append(change)
    for name, existing in stack.resources.items():
        if name not in order:
            planned.append(Change("Remove", name, existing.resource.physical_id, existing.definition.type, None))
    return planned


def _change(
    environment: Environment, evaluator: Evaluator, definition: ResourceDefinition, existing: StackResource | None
) -> Change | None:
    if existing is None:
        return Change("Add", definition.logical_id, None, definition.type, None)
    properties = _evaluated(evaluator, definition.properties)
    if existing.definition.type == definition.type and existing.properties == properties:
        return None
    if existing.definition.type != definition.type:
        replacement = "True"
    elif properties is _UNKNOWN:
        replacement = "Conditional"
    else:
        replaces = environment.provider(definition.type).replaces(existing.properties, properties)
        replacement = "True" if replaces else "False"
    return Change("Modify", definition.logical_id, existing.resource.physical_id, definition.type, replacement)


def _evaluated(evaluator: Evaluator, properties: Mapping[str, Any]) -> Any:
    """The properties' values, or _UNKNOWN where they refer to what does not exist yet."""
    try:
        return evaluator.value(properties)
    except ValidationError:
        return _UNKNOWN
