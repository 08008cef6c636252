"""State machines with their revisions, versions, aliases and tags."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.stepfunctions.api.arns import parse_arn
from local.stepfunctions.asl.program import Program
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json


@dataclass(frozen=True, slots=True)
class Revision:
    """A state machine as it was from one update to the next; `id` is None for the first."""

    id: str | None
    definition: str
    role_arn: str
    program: Program
    updated: float
    logging: dict[str, Json]
    tracing: dict[str, Json]
    encryption: dict[str, Json]
    references: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Version:
    """A published revision."""

    arn: str
    number: int
    revision: Revision
    description: str | None
    created: float


@dataclass(slots=True)
class Alias:
    """A name for one or two versions; weights are percentages by version ARN, in the order given."""

    arn: str
    name: str
    description: str | None
    routing: dict[str, int]
    created: float
    updated: float


@dataclass(slots=True)
class StateMachine:
    """A state machine and all that hangs on it."""

    arn: str
    name: str
    type: str
    created: float
    revision: Revision
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)
    versions_made: int = 0
    aliases: dict[str, Alias] = field(default_factory=dict)
    revisions_made: int = 0


class MachineStore:
    """State machines by ARN."""

    def __init__(self) -> None:
        self.machines: dict[str, StateMachine] = {}

    def machine(self, arn: str) -> StateMachine:
        """The machine of an unqualified ARN; raises ApiError."""
        parse_arn(arn, "stateMachine")
        if arn not in self.machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self.machines[arn]

    def resolve(self, arn: str) -> tuple[StateMachine, Version | None, Alias | None]:
        """What an ARN, a version's ARN or an alias's ARN names; raises ApiError."""
        parsed = parse_arn(arn, "stateMachine")
        _, _, qualifier = parsed.rest.partition(":")
        if not qualifier:
            return self.machine(arn), None, None
        machine = self.machines.get(arn.removesuffix(f":{qualifier}"))
        if machine is not None and qualifier.isdigit() and int(qualifier) in machine.versions:
            return machine, machine.versions[int(qualifier)], None
        if machine is not None and qualifier in machine.aliases:
            return machine, None, machine.aliases[qualifier]
        raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")

    def version(self, arn: str) -> tuple[StateMachine, Version]:
        """The version of a version ARN; raises ApiError."""
        machine, version, _ = self.resolve(arn)
        if version is None:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return machine, version

    def alias(self, arn: str) -> tuple[StateMachine, Alias]:
        """The alias of an alias ARN; raises ApiError ResourceNotFound."""
        missing = ApiError("ResourceNotFound", "Request references a resource that does not exist.")
        try:
            machine, _, alias = self.resolve(arn)
        except ApiError as error:
            raise (missing if error.code == "StateMachineDoesNotExist" else error) from error
        if alias is None:
            raise missing
        return machine, alias
