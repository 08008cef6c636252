"""Creating, updating and deleting a whole stack, with the statuses and the roll-back of AWS."""

from __future__ import annotations

from collections.abc import Mapping

from local.aws.cloudformation.environment import Environment
from local.aws.cloudformation.errors import ResourceFailed, ValidationError
from local.aws.cloudformation.ordering import creation_order
from local.aws.cloudformation.parameters import hidden_parameters
from local.aws.cloudformation.provisioning import Provisioning, delete_resource
from local.aws.cloudformation.stacks import Stack
from local.aws.cloudformation.template import Template

UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}) | {
    "CREATE_FAILED",  # these two only follow where roll-back was switched off
    "UPDATE_FAILED",
}
_UNDER_WAY = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"})


def create(
    environment: Environment, stack: Stack, template: Template, given: Mapping[str, str], *, roll_back: bool
) -> None:
    """Make everything; ends CREATE_COMPLETE, ROLLBACK_COMPLETE, ROLLBACK_FAILED, or CREATE_FAILED without roll-back."""
    provisioning = Provisioning(environment, stack, template, given)
    stack.record("CREATE_IN_PROGRESS", environment.now(), "User Initiated")
    _adopt(stack, template, given)
    try:
        provisioning.run()
    except ResourceFailed as error:
        _create_failed(environment, stack, provisioning, error, roll_back=roll_back)
    else:
        stack.record("CREATE_COMPLETE", environment.now())


def update(
    environment: Environment, stack: Stack, template: Template, given: Mapping[str, str], *, roll_back: bool
) -> None:
    """Bring everything to `template`.

    Ends UPDATE_COMPLETE, UPDATE_ROLLBACK_COMPLETE, UPDATE_ROLLBACK_FAILED, or UPDATE_FAILED without roll-back.
    """
    if stack.status not in UPDATABLE:
        raise ValidationError(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
    provisioning = Provisioning(environment, stack, template, given)
    stack.record("UPDATE_IN_PROGRESS", environment.now(), "User Initiated")
    stack.updated = environment.now()
    try:
        provisioning.run()
    except ResourceFailed as error:
        _update_failed(environment, stack, provisioning, error, roll_back=roll_back)
        return
    _adopt(stack, template, given)
    stack.record("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", environment.now())
    provisioning.clean_up()
    stack.record("UPDATE_COMPLETE", environment.now())


def delete(environment: Environment, stack: Stack) -> None:
    """Delete everything in reverse order of dependency; ends DELETE_COMPLETE, or DELETE_FAILED with the rest kept."""
    if stack.termination_protection:
        raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if stack.status in _UNDER_WAY:
        raise ValidationError(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
    for output in stack.outputs:
        if output.export_name and (users := environment.importers(output.export_name)):
            raise ValidationError(f"Export {output.export_name} cannot be deleted as it is in use by {users[0]}")
    stack.record("DELETE_IN_PROGRESS", environment.now(), "User Initiated")
    needs = {name: each.needs & set(stack.resources) for name, each in stack.resources.items()}
    for name in reversed(creation_order(needs)):
        resource = stack.resources[name]
        try:
            delete_resource(environment, stack, resource, resource.definition.deletion_policy, strict=True)
        except ResourceFailed:
            stack.record("DELETE_FAILED", environment.now(), f"The following resource(s) failed to delete: [{name}]. ")
            return
        del stack.resources[name]
    stack.deleted = environment.now()
    stack.record("DELETE_COMPLETE", environment.now())


def _create_failed(
    environment: Environment, stack: Stack, provisioning: Provisioning, error: ResourceFailed, *, roll_back: bool
) -> None:
    if not roll_back:
        stack.record("CREATE_FAILED", environment.now(), str(error))
        return
    stack.record("ROLLBACK_IN_PROGRESS", environment.now(), f"{error}. Rollback requested by user.")
    try:
        provisioning.undo()
    except ResourceFailed as stuck:
        stack.record("ROLLBACK_FAILED", environment.now(), str(stuck))
    else:
        stack.record("ROLLBACK_COMPLETE", environment.now(), str(error))


def _update_failed(
    environment: Environment, stack: Stack, provisioning: Provisioning, error: ResourceFailed, *, roll_back: bool
) -> None:
    if not roll_back:
        stack.record("UPDATE_FAILED", environment.now(), str(error))
        return
    stack.record("UPDATE_ROLLBACK_IN_PROGRESS", environment.now(), str(error))
    try:
        provisioning.undo()
    except ResourceFailed as stuck:
        stack.record("UPDATE_ROLLBACK_FAILED", environment.now(), str(stuck))
        return
    stack.record("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", environment.now())
    stack.record("UPDATE_ROLLBACK_COMPLETE", environment.now(), str(error))


def _adopt(stack: Stack, template: Template, given: Mapping[str, str]) -> None:
    stack.template = template
    stack.parameters = dict(given)
    stack.hidden_parameters = hidden_parameters(template)
