"""A compiled definition: what the interpreter walks over. Everything in it is immutable and shared by executions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from local.stepfunctions.asl.dataflow import DataFlow
from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.recovery import Catcher, Retrier
from local.stepfunctions.jsontext import Json

Number: TypeAlias = Callable[[Json, Environment], float]
Evaluate: TypeAlias = Callable[[Json, Environment], Json]
NO_RESULT: Any = object()


@dataclass(frozen=True, slots=True)
class PassSpec:
    """Pass: a literal `result`, or NO_RESULT."""

    result: Json

    @property
    def computed(self) -> bool:
        """Whether the result is what Parameters makes of the input."""
        return self.result is NO_RESULT


@dataclass(frozen=True, slots=True)
class WaitSpec:
    """Wait: `until(document, environment, now)` is the moment at which it is over, in seconds since the epoch."""

    until: Callable[[Json, Environment, float], float]


@dataclass(frozen=True, slots=True)
class ChoiceRule:
    """One of Choices: its predicate and what follows when it holds."""

    holds: Callable[[Json, Environment], bool]
    next: str
    output: Callable[[Json, Environment], Json] | None
    assign: Callable[[Json, Environment], dict[str, Json]] | None


@dataclass(frozen=True, slots=True)
class ChoiceSpec:
    """Choice: rules in order, and the default's name."""

    rules: tuple[ChoiceRule, ...]
    default: str | None


@dataclass(frozen=True, slots=True)
class FailSpec:
    """Fail: error and cause, each computed from the input."""

    error: Callable[[Json, Environment], str | None]
    cause: Callable[[Json, Environment], str | None]


@dataclass(frozen=True, slots=True)
class Resource:
    """A Task's resource: `service` and `action` as AWS's events name them, `pattern` is "", "sync", "sync:2" or
    "waitForTaskToken"; an activity or a Lambda function's ARN has service "activity" or "function".
    """

    arn: str
    service: str
    action: str
    pattern: str

    @property
    def label(self) -> str:
        """The `resource` field of the task events."""
        return f"{self.action}.{self.pattern}" if self.pattern else self.action


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """Task: its resource and its time limits in seconds."""

    resource: Resource
    timeout: Number | None
    heartbeat: Number | None
    credentials: Evaluate | None


@dataclass(frozen=True, slots=True)
class ParallelSpec:
    """Parallel: its branches."""

    branches: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class ReaderSpec:
    """ItemReader: where a Distributed Map's items come from; `settings` is ReaderConfig as written."""

    action: str
    arguments: Evaluate
    settings: dict[str, Json]
    max_items: Number | None


@dataclass(frozen=True, slots=True)
class BatcherSpec:
    """ItemBatcher: limits of a batch and what every batch carries along."""

    max_items: Number | None
    max_bytes: Number | None
    batch_input: Evaluate | None


@dataclass(frozen=True, slots=True)
class WriterSpec:
    """ResultWriter: where a Distributed Map's results go, None arguments for nowhere; WriterConfig as written."""

    arguments: Evaluate | None
    settings: dict[str, Json]


@dataclass(frozen=True, slots=True)
class MapSpec:
    """Map: items, what each iteration gets and runs, and how many run or may fail."""

    processor: Block
    items: Callable[[Json, Environment], list[Json]]
    selector: Evaluate | None
    max_concurrency: Number
    distributed: bool
    express: bool
    label: str
    tolerated_count: Number | None
    tolerated_percentage: Number | None
    reader: ReaderSpec | None
    batcher: BatcherSpec | None
    writer: WriterSpec | None


Spec: TypeAlias = PassSpec | WaitSpec | ChoiceSpec | FailSpec | TaskSpec | ParallelSpec | MapSpec | None


@dataclass(frozen=True, slots=True)
class State:
    """One state; `next` is None at an end, `entered` and `exited` are the types of its events."""

    name: str
    type: str
    next: str | None
    flow: DataFlow
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]
    spec: Spec
    entered: str = field(init=False)
    exited: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "entered", f"{self.type}StateEntered")
        object.__setattr__(self, "exited", f"{self.type}StateExited")


@dataclass(frozen=True, slots=True)
class Block:
    """States and where they begin: a state machine, a branch or a Map's processor."""

    start_at: str
    states: dict[str, State]


@dataclass(frozen=True, slots=True)
class Program:
    """A whole definition; `timeout` is the execution's, in seconds."""

    block: Block
    timeout: float | None
