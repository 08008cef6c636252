"""An execution in plain data: its branches, what they wait for, and where they come together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.program import Block, Program, State
from local.stepfunctions.errors import StateFailure
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.history import History

if TYPE_CHECKING:
    from local.stepfunctions.asl.dataflow import DataFlow
    from local.stepfunctions.runtime.map_run import MapRun

Status = Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What an execution was started from: the machine as it was, and the version or alias that was named."""

    machine_arn: str
    machine_name: str
    definition: str
    role_arn: str
    express: bool
    revision: str | None
    program: Program
    version_arn: str | None = None
    alias_arn: str | None = None
    updated: float = 0.0
    references: dict[str, list[str]] = field(default_factory=dict)


NO_STATE: Final = State("", "", None, cast("DataFlow", None), (), (), None)
"""Where a branch is that has entered no state yet."""

NO_ENVIRONMENT: Final = Environment(dict, {})
"""What is around it."""


class Attempt:
    """One try at a task: what a completion, a heartbeat or a timeout refers to."""

    __slots__ = ("branch", "heartbeat", "heartbeat_timer", "input", "number", "started", "submitted", "timers", "token")

    def __init__(self, branch: Branch, number: int) -> None:
        self.branch = branch
        self.number = number
        self.token: str | None = None
        self.heartbeat: float | None = None
        self.heartbeat_timer: int | None = None
        self.timers: list[int] = []
        self.started = False
        self.submitted = False
        self.input = ""


class Branch:
    """One thread of control: the machine itself, a Parallel's branch or a Map's iteration."""

    __slots__ = (
        "attempt",
        "block",
        "ended",
        "entered",
        "entered_at",
        "entered_previous",
        "environment",
        "execution",
        "failure",
        "index",
        "inner",
        "join",
        "map_item",
        "previous",
        "raw",
        "raw_text",
        "retries",
        "selected",
        "state",
        "timer",
        "unfinished",
        "variables",
    )

    def __init__(self, execution: Execution, block: Block, join: Join | None, index: int, previous: int) -> None:
        self.execution = execution
        self.block = block
        self.join = join
        self.index = index
        self.previous = previous
        self.variables: dict[str, Json] = {}
        self.map_item: dict[str, Json] | None = None
        self.ended = False
        self.state: State = NO_STATE
        self.raw: Json = None
        self.raw_text = ""
        self.selected: Json = None
        self.entered = 0
        self.entered_previous = 0
        self.entered_at = 0.0
        self.retries: dict[int, int] = {}
        self.environment: Environment = NO_ENVIRONMENT
        self.attempt: Attempt | None = None
        self.timer: int | None = None
        self.inner: Join | MapRun | None = None
        self.unfinished: Join | MapRun | None = None
        self.failure: StateFailure | None = None

    @property
    def retry_count(self) -> int:
        """How often the current state has been retried."""
        return sum(self.retries.values())


class Join:
    """Where a Parallel's branches or a Map's iterations come together again."""

    __slots__ = ("children", "concurrency", "failed", "items", "next_index", "outputs", "owner")

    def __init__(self, owner: Branch, items: list[Json], concurrency: int) -> None:
        self.owner = owner
        self.items = items
        self.concurrency = concurrency
        self.next_index = 0
        self.children: dict[int, Branch] = {}
        self.failed: list[Branch] = []
        self.outputs: dict[int, Json] = {}


class Randomness:
    """An execution's own source of randomness, which children of a Distributed Map draw from, too.

    It is seeded when it is first drawn from: most never are, and it is large.
    """

    __slots__ = ("_random", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._random: Random | None = None

    def source(self) -> Random:
        """What to draw from, the same whenever the seed is."""
        if self._random is None:
            self._random = Random(self._seed)  # noqa: S311 - runs must repeat for a seed
        return self._random

    def rest(self) -> None:
        """Take no room until it is drawn from again, which would be from the beginning."""
        self._random = None


@dataclass(slots=True)
class Execution:
    """One execution of a state machine, a Distributed Map's child included."""

    arn: str
    name: str
    origin: Origin
    input_text: str
    started: float
    randomness: Randomness
    status: Status = "RUNNING"
    stopped: float | None = None
    output_text: str | None = None
    error: str | None = None
    cause: str | None = None
    history: History = field(default_factory=History)
    root: Branch | None = None
    timers: dict[int, tuple[Any, Callable[[], None]]] = field(default_factory=dict)
    timers_made: int = 0
    attempts: dict[int, Attempt] = field(default_factory=dict)
    attempts_made: int = 0
    map_run: MapRun | None = None
    map_index: int = 0
    map_runs: list[MapRun] = field(default_factory=list)
    watchers: list[tuple[str, int]] = field(default_factory=list)
    redrives: int = 0
    redriven: float | None = None
    trace_header: str | None = None
    mock_case: str | None = None
    starter: str | None = None

    @property
    def random(self) -> Random:
        """Where jitter and identities are drawn from."""
        return self.randomness.source()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.status == "RUNNING"
