"""In which order resources can be made: what is referred to or named in DependsOn comes first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from local.aws.cloudformation.errors import ValidationError
from local.aws.cloudformation.intrinsics import Evaluator
from local.aws.cloudformation.template import ResourceDefinition, Template


def dependencies(template: Template, evaluator: Evaluator) -> dict[str, set[str]]:
    """For each resource whose condition holds, the resources that must be there before it."""
    active = {
        name: definition
        for name, definition in template.resources.items()
        if definition.condition is None or evaluator.condition(definition.condition)
    }
    needs = {name: set(_needed(definition, evaluator, template)) for name, definition in active.items()}
    for name, needed in needs.items():
        if missing := sorted(needed - set(active)):
            raise ValidationError(f"Unresolved resource dependencies {missing} in the resource {name}")
    return needs


def creation_order(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """The resources in an order in which each comes after what it needs; a cycle is refused by name."""
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise ValidationError(f"Circular dependency between resources: [{', '.join(error.args[1])}]") from None


def _needed(definition: ResourceDefinition, evaluator: Evaluator, template: Template) -> Iterable[str]:
    for name in definition.depends_on:
        declared = template.resources.get(name)
        if declared is None:
            raise ValidationError(f"Template format error: Unresolved dependency {name} of {definition.logical_id}")
        if declared.condition is None or evaluator.condition(declared.condition):
            yield name
    yield from evaluator.references(definition.properties)
