"""CloudFormation in one region: the stacks and change sets there are, and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from local.aws.cloudformation import operations, planning
from local.aws.cloudformation.environment import Environment
from local.aws.cloudformation.errors import AlreadyExists, ChangeSetNotFound, InvalidChangeSetStatus, ValidationError
from local.aws.cloudformation.parameters import given_parameters
from local.aws.cloudformation.provider import Provider
from local.aws.cloudformation.stacks import ChangeSet, Stack
from local.aws.cloudformation.template import Template, parse
from local.aws.cloudformation.turns import Turns
from local.clock import Clock

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(frozen=True, slots=True)
class StackRequest:
    """What a caller asks a stack to become; `body` None keeps the template there is."""

    name: str
    body: str | None
    parameters: Iterable[Mapping[str, Any]] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    roll_back: bool = True


class CloudFormation:
    """The stacks of one region; an operation is done when its call returns, unless it has to wait for something."""

    def __init__(
        self,
        account_id: str,
        region: str,
        clock: Clock,
        providers: Mapping[str, Provider],
        client: Callable[[str], Any],
        wait: Callable[[float], None],
    ) -> None:
        self.stacks: dict[str, Stack] = {}
        self.change_sets: dict[str, ChangeSet] = {}
        self._turns = Turns(wait)
        self.environment = Environment(account_id, region, clock, providers, client, self._turns.pause, self.stacks)

    def stack(self, name_or_id: str) -> Stack:
        """The live stack of this name, or any stack of this id; ValidationError if there is none."""
        if name_or_id in self.stacks:
            return self.stacks[name_or_id]
        for stack in list(self.stacks.values()):
            if stack.name == name_or_id and stack.deleted is None:
                return stack
        raise ValidationError(f"Stack with id {name_or_id} does not exist")

    def create_stack(self, request: StackRequest) -> Stack:
        """Create a stack and everything in it."""

        def create() -> None:
            if any(s.name == request.name and s.deleted is None for s in self.stacks.values()):
                raise AlreadyExists(f"Stack [{request.name}] already exists")
            stack = self._new_stack(request.name)
            template, given = self._wanted(stack, request)
            planning.changes(self.environment, stack, template, given)
            self.stacks[stack.stack_id] = stack
            self._take_settings(stack, request.tags, request.capabilities, request.role_arn)
            operations.create(self.environment, stack, template, given, roll_back=request.roll_back)

        self._turns.carry_out(create)
        return self.stack(request.name)

    def update_stack(self, request: StackRequest) -> Stack:
        """Bring a stack to another template, parameters or tags; ValidationError where there is nothing to do."""
        stack = self.stack(request.name)

        def update() -> None:
            template, given = self._wanted(stack, request)
            tags = request.tags or stack.tags
            if not planning.differs(stack, template, given, tags):
                raise ValidationError("No updates are to be performed.")
            operations.update(self.environment, stack, template, given, roll_back=request.roll_back)
            self._take_settings(stack, tags, request.capabilities, request.role_arn)

        self._turns.carry_out(update)
        return stack

    def delete_stack(self, name_or_id: str) -> None:
        """Delete a stack and everything in it; one that is not there is no error."""

        def delete() -> None:
            try:
                stack = self.stack(name_or_id)
            except ValidationError:
                return
            if stack.deleted is None:
                operations.delete(self.environment, stack)
                self._drop_change_sets(stack)

        self._turns.carry_out(delete)

    def create_change_set(self, name: str, kind: str, description: str | None, request: StackRequest) -> ChangeSet:
        """Work out what would change; `kind` is CREATE or UPDATE. Without changes the change set is FAILED."""
        with self._turns.taken():
            stack = self._stack_for_change_set(request.name, kind)
            template, given = self._wanted(stack, request)
            tags = request.tags or stack.tags
            planned = planning.changes(self.environment, stack, template, given)
            useful = kind == "CREATE" or planning.differs(stack, template, given, tags)
            if stack.stack_id not in self.stacks:
                stack.record("REVIEW_IN_PROGRESS", self.environment.now(), "User Initiated")
                self.stacks[stack.stack_id] = stack
            for known in [each for each in self.change_sets.values() if (each.stack, each.name) == (stack, name)]:
                raise AlreadyExists(f"ChangeSet {known.change_set_id} already exists")
            change_set = ChangeSet(
                change_set_id=self._arn(f"changeSet/{name}/{uuid4()}"),
                name=name,
                stack=stack,
                type=kind,
                template=template,
                parameters=given,
                tags=tags,
                capabilities=request.capabilities,
                role_arn=request.role_arn,
                description=description,
                created=self.environment.now(),
                changes=planned,
                status="CREATE_COMPLETE" if useful else "FAILED",
                execution_status="AVAILABLE" if useful else "UNAVAILABLE",
                reason=None if useful else NO_CHANGES,
            )
            self.change_sets[change_set.change_set_id] = change_set
            return change_set

    def change_set(self, name_or_id: str, stack_name: str | None) -> ChangeSet:
        """The change set of this id, or of this name and stack; ChangeSetNotFound if there is none."""
        if name_or_id in self.change_sets:
            return self.change_sets[name_or_id]
        for change_set in list(self.change_sets.values()):
            if change_set.name == name_or_id and stack_name in (change_set.stack.name, change_set.stack.stack_id):
                return change_set
        raise ChangeSetNotFound(f"ChangeSet [{name_or_id}] does not exist")

    def execute_change_set(self, name_or_id: str, stack_name: str | None, *, roll_back: bool) -> None:
        """Do what the change set says; its stack's other change sets are gone then."""

        def execute() -> None:
            change_set = self.change_set(name_or_id, stack_name)
            stack = change_set.stack
            if change_set.execution_status != "AVAILABLE":
                raise InvalidChangeSetStatus(
                    f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
                    f"[{change_set.status}]"
                )
            carry_out = operations.create if change_set.type == "CREATE" else operations.update
            carry_out(self.environment, stack, change_set.template, change_set.parameters, roll_back=roll_back)
            self._take_settings(stack, change_set.tags, change_set.capabilities, change_set.role_arn)
            change_set.execution_status = "EXECUTE_COMPLETE"
            self._drop_change_sets(stack)

        self._turns.carry_out(execute)

    def delete_change_set(self, name_or_id: str, stack_name: str | None) -> None:
        """Forget a change set; one that is not there is no error."""
        with self._turns.taken():
            try:
                change_set = self.change_set(name_or_id, stack_name)
            except ChangeSetNotFound:
                return
            del self.change_sets[change_set.change_set_id]

    def _wanted(self, stack: Stack, request: StackRequest) -> tuple[Template, dict[str, str]]:
        if request.body is None and stack.template is None:
            raise ValidationError("Either Template URL or Template Body must be specified.")
        template = parse(request.body) if request.body is not None else stack.template
        assert template is not None  # noqa: S101 - the check above, for the type checker
        return template, given_parameters(template, request.parameters, stack.parameters)

    def _stack_for_change_set(self, name: str, kind: str) -> Stack:
        try:
            stack = self.stack(name)
        except ValidationError:
            if kind != "CREATE":
                raise
            return self._new_stack(name)
        if kind == "CREATE" and stack.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(f"Stack [{name}] already exists and cannot be created again with the changeSet.")
        return stack

    def _new_stack(self, name: str) -> Stack:
        return Stack(self._arn(f"stack/{name}/{uuid4()}"), name, self.environment.now())

    def _arn(self, resource: str) -> str:
        return f"arn:aws:cloudformation:{self.environment.region}:{self.environment.account_id}:{resource}"

    def _drop_change_sets(self, stack: Stack) -> None:
        for key in [key for key, each in self.change_sets.items() if each.stack is stack]:
            del self.change_sets[key]

    @staticmethod
    def _take_settings(
        stack: Stack, tags: Mapping[str, str], capabilities: tuple[str, ...], role_arn: str | None
    ) -> None:
        stack.tags, stack.capabilities, stack.role_arn = dict(tags), capabilities, role_arn
