"""Brings a stack to a template, one resource after the other, and back again where one of them fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

from local.aws.cloudformation.environment import Environment
from local.aws.cloudformation.errors import ResourceFailed, ValidationError
from local.aws.cloudformation.intrinsics import NO_VALUE, Evaluator
from local.aws.cloudformation.ordering import creation_order, dependencies
from local.aws.cloudformation.parameters import parameter_values
from local.aws.cloudformation.provider import Refusal, Resource
from local.aws.cloudformation.stacks import Output, Stack, StackResource
from local.aws.cloudformation.surroundings import StackSurroundings
from local.aws.cloudformation.template import ResourceDefinition, Template


def evaluator_for(
    environment: Environment, stack: Stack, template: Template, given: Mapping[str, str], outside: StackSurroundings
) -> Evaluator:
    """What evaluates `template` for `stack`, pseudo parameters included."""
    values = parameter_values(template, given, lambda name: outside.dynamic_reference("ssm", name))
    pseudo = {
        "AWS::AccountId": environment.account_id,
        "AWS::Region": environment.region,
        "AWS::StackName": stack.name,
        "AWS::StackId": stack.stack_id,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NotificationARNs": [],
    }
    return Evaluator(template, {**pseudo, **values}, outside)


class Provisioning:
    """One attempt to make a stack's resources what a template says.

    `run` changes, and raises ResourceFailed at the first failure; then `undo` takes everything back in reverse order.
    After a successful `run`, `clean_up` deletes what the template no longer has and what was replaced.
    """

    def __init__(self, environment: Environment, stack: Stack, template: Template, given: Mapping[str, str]) -> None:
        self._environment = environment
        self._stack = stack
        self._template = template
        self._outside = StackSurroundings(environment, stack)
        self._evaluator = evaluator_for(environment, stack, template, given, self._outside)
        self._needs = dependencies(template, self._evaluator)
        self._order = creation_order(self._needs)
        for name in self._order:
            environment.provider(template.resources[name].type)
        self._steps_back: list[Callable[[], None]] = []
        self._before = dict(stack.resources)
        self._replaced: list[StackResource] = []
        self._generation = 1 + max((each.generation for each in stack.resources.values()), default=0)

    def run(self) -> None:
        """Create and change in order of dependency, then work out the outputs."""
        for name in self._order:
            self._converge(self._template.resources[name])
        try:
            outputs = self._outputs()
        except ValidationError as error:
            raise ResourceFailed(error.message) from None
        self._stack.outputs = outputs
        self._stack.imports = frozenset(self._outside.imports)

    def undo(self) -> None:
        """Take back what `run` has done; ResourceFailed if something cannot be taken back."""
        for step in reversed(self._steps_back):
            step()
        self._stack.resources = {name: self._stack.resources[name] for name in self._before}

    def clean_up(self) -> None:
        """Delete what is no longer wanted; what cannot be deleted is reported and left, as CloudFormation does."""
        removed = [self._stack.resources[name] for name in self._stack.resources if name not in self._needs]
        unwanted = [(old, old.definition.deletion_policy) for old in removed]
        unwanted += [(old, old.definition.replace_policy) for old in self._replaced]
        by_name = {old.definition.logical_id: set(old.needs) for old, _ in unwanted}
        order = creation_order({name: needs & set(by_name) for name, needs in by_name.items()})
        for old, policy in sorted(unwanted, key=lambda each: -order.index(each[0].definition.logical_id)):
            delete_resource(self._environment, self._stack, old, policy, strict=False)
        self._stack.resources = {name: self._stack.resources[name] for name in self._order}

    def _converge(self, definition: ResourceDefinition) -> None:
        name = definition.logical_id
        existing = self._stack.resources.get(name)
        try:
            properties = self._evaluator.value(definition.properties)
        except ValidationError as error:
            self._fail("UPDATE" if existing else "CREATE", definition, existing, error)
        if existing is None:
            self._create(definition, properties)
        elif self._replaces(definition, existing, properties):
            self._replace(definition, existing, properties)
        elif existing.properties != properties:
            self._update(definition, existing, properties)
        else:
            self._stack.resources[name] = replace(
                existing, definition=definition, needs=frozenset(self._needs[definition.logical_id])
            )
            self._steps_back.append(lambda: self._put(existing))

    def _replaces(self, definition: ResourceDefinition, existing: StackResource, properties: Any) -> bool:
        if existing.definition.type != definition.type:
            return True
        try:
            return self._environment.provider(definition.type).replaces(existing.properties, properties)
        except Exception as error:
            self._fail("UPDATE", definition, existing, error)

    def _create(self, definition: ResourceDefinition, properties: Mapping[str, Any]) -> None:
        made = self._make(definition, properties, "CREATE")
        self._steps_back.append(lambda: self._take_away(made))

    def _replace(self, definition: ResourceDefinition, old: StackResource, properties: Mapping[str, Any]) -> None:
        self._note("UPDATE_IN_PROGRESS", definition, old, "Requested update requires the creation of a new resource")
        made = self._make(definition, properties, "UPDATE")
        self._replaced.append(old)

        def back() -> None:
            self._take_away(made)
            self._put(old)

        self._steps_back.append(back)

    def _make(self, definition: ResourceDefinition, properties: Mapping[str, Any], verb: str) -> StackResource:
        place = self._environment.place(self._stack, definition.logical_id, self._generation)
        if verb == "CREATE":
            self._note("CREATE_IN_PROGRESS", definition, None)
        try:
            resource = self._environment.provider(definition.type).create(place, properties)
        except Exception as error:
            self._fail(verb, definition, None, error)
        return self._keep(definition, properties, resource, self._generation, f"{verb}_COMPLETE")

    def _update(self, definition: ResourceDefinition, old: StackResource, properties: Mapping[str, Any]) -> None:
        self._note("UPDATE_IN_PROGRESS", definition, old)
        self._steps_back.append(lambda: self._change_back(definition, properties, old))
        place = self._environment.place(self._stack, definition.logical_id, old.generation)
        provider = self._environment.provider(definition.type)
        try:
            resource = provider.update(place, old.resource, old.properties, properties)
        except Refusal as refusal:
            self._steps_back.pop()
            self._fail("UPDATE", definition, old, refusal)
        except Exception as error:
            self._fail("UPDATE", definition, old, error)
        self._keep(definition, properties, resource, old.generation, "UPDATE_COMPLETE")

    def _change_back(self, definition: ResourceDefinition, tried: Mapping[str, Any], old: StackResource) -> None:
        """Also after a change that failed, since it may have been made in part."""
        current = self._stack.resources[definition.logical_id]
        place = self._environment.place(self._stack, definition.logical_id, old.generation, rolling_back=True)
        self._note("UPDATE_IN_PROGRESS", old.definition, current)
        try:
            resource = self._environment.provider(definition.type).update(
                place, current.resource, tried, old.properties
            )
        except Exception as error:
            self._fail("UPDATE", old.definition, current, error)
        self._keep(old.definition, old.properties, resource, old.generation, "UPDATE_COMPLETE", old.needs)

    def _take_away(self, made: StackResource) -> None:
        policy = made.definition.deletion_policy
        policy = "Delete" if policy == "RetainExceptOnCreate" else policy
        delete_resource(self._environment, self._stack, made, policy, strict=True)
        self._stack.resources.pop(made.definition.logical_id, None)

    def _keep(
        self,
        definition: ResourceDefinition,
        properties: Mapping[str, Any],
        resource: Resource,
        generation: int,
        status: str,
        needs: frozenset[str] | None = None,
    ) -> StackResource:
        needs = frozenset(self._needs[definition.logical_id]) if needs is None else needs
        made = StackResource(definition, properties, resource, needs, generation, status, self._environment.now())
        self._put(made)
        self._note(status, definition, made)
        return made

    def _put(self, resource: StackResource) -> None:
        self._stack.resources[resource.definition.logical_id] = resource

    def _note(
        self, status: str, definition: ResourceDefinition, at: StackResource | None, reason: str | None = None
    ) -> None:
        physical_id = at.resource.physical_id if at else ""
        who = (definition.logical_id, definition.type, physical_id)
        self._stack.record(status, self._environment.now(), reason, who)

    def _fail(self, verb: str, definition: ResourceDefinition, at: StackResource | None, error: Exception) -> NoReturn:
        self._note(f"{verb}_FAILED", definition, at, str(error))
        raise ResourceFailed(f"{definition.logical_id} ({definition.type}): {error}") from error

    def _outputs(self) -> list[Output]:
        outputs = [
            Output(
                key=key,
                value=str(self._evaluator.value(declared["Value"])),
                description=declared.get("Description"),
                export_name=self._export_name(declared),
            )
            for key, declared in self._template.outputs.items()
            if "Condition" not in declared or self._evaluator.condition(declared["Condition"])
        ]
        self._check_exports({output.export_name: output.value for output in outputs if output.export_name})
        return outputs

    def _export_name(self, declared: Mapping[str, Any]) -> str | None:
        name = self._evaluator.value(declared.get("Export", {}).get("Name", NO_VALUE))
        return None if name is NO_VALUE else str(name)

    def _check_exports(self, exports: Mapping[str, str]) -> None:
        for name, (value, owner) in self._environment.exports().items():
            if owner is not self._stack and name in exports:
                raise ValidationError(f"Export with name {name} is already exported by stack {owner.name}")
            if owner is self._stack and exports.get(name) != value and (users := self._environment.importers(name)):
                raise ValidationError(f"Export {name} cannot be updated as it is in use by {', '.join(users)}")


def delete_resource(
    environment: Environment, stack: Stack, resource: StackResource, policy: str, *, strict: bool
) -> None:
    """Delete one resource unless its policy keeps it; a failure is noted and, where `strict`, raises ResourceFailed."""
    definition = resource.definition
    who = (definition.logical_id, definition.type, resource.resource.physical_id)
    if policy != "Delete":
        stack.record("DELETE_SKIPPED", environment.now(), None, who)
        return
    stack.record("DELETE_IN_PROGRESS", environment.now(), None, who)
    place = environment.place(stack, definition.logical_id, resource.generation)
    try:
        environment.provider(definition.type).delete(place, resource.resource, resource.properties)
    except Exception as error:
        stack.record("DELETE_FAILED", environment.now(), str(error), who)
        if strict:
            raise ResourceFailed(f"{definition.logical_id} ({definition.type}): {error}") from error
        return
    stack.record("DELETE_COMPLETE", environment.now(), None, who)
