"""State machines under test: mocked functions by name, virtual time, the path an execution took, and coverage."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.clock import VirtualClock
from local.stepfunctions.coverage import Coverage
from local.stepfunctions.engine import Engine
from local.stepfunctions.integrations.lambda_function import FunctionNotFoundError, LambdaResult
from local.stepfunctions.jsontext import Json, dumps, loads
from local.stepfunctions.runtime.execution import Execution

Handler = Callable[[Any], Any]


@dataclass(frozen=True)
class Run:
    """One execution under test."""

    execution: Execution
    engine: Engine = field(repr=False)

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return self.execution.arn

    @property
    def status(self) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        return self.execution.status

    @property
    def output(self) -> Json:
        """The output as a value, None before there is one."""
        return None if self.execution.output_text is None else loads(self.execution.output_text)

    @property
    def error(self) -> str | None:
        """The error's name, when it failed with one."""
        return self.execution.error

    @property
    def cause(self) -> str | None:
        """The failure's cause."""
        return self.execution.cause

    @property
    def history(self) -> list[dict[str, Json]]:
        """The events, as GetExecutionHistory answers them."""
        return self.engine.history(self.arn)

    @property
    def path(self) -> list[str]:
        """The names of the states entered, in order; iterations and branches interleaved as they ran."""
        return [
            event.details["name"] for event in self.execution.history.events if _enters(event.type) and event.details
        ]

    @property
    def seconds(self) -> float:
        """How long it ran, or has run so far, in virtual seconds."""
        return (self.execution.stopped or self.engine.clock.now()) - self.execution.started

    def events(self, event_type: str) -> list[dict[str, Json]]:
        """The events of one type."""
        return [event for event in self.history if event["type"] == event_type]

    def assert_path(self, *names: str) -> None:
        """Fail unless exactly these states were entered, in this order."""
        assert self.path == list(names), f"took {' > '.join(self.path)}, expected {' > '.join(names)}"  # noqa: S101

    def assert_visited(self, *names: str) -> None:
        """Fail unless all these states were entered."""
        missing = [name for name in names if name not in self.path]
        assert not missing, f"never entered {', '.join(missing)}; took {' > '.join(self.path)}"  # noqa: S101


def _enters(event_type: str) -> bool:
    return event_type.endswith("StateEntered")


class Harness:
    """Starts executions on an engine in virtual time; functions are Python callables registered by name."""

    def __init__(self, seed: int = 0, coverage: Coverage | None = None) -> None:
        self.handlers: dict[str, Handler] = {}
        self.calls: list[tuple[str, Json]] = []
        self.clock = VirtualClock()
        self.engine = Engine(clock=self.clock, seed=seed, lambda_invoke=self._invoke)
        self._coverage = coverage
        self._machines: dict[str, str] = {}

    def function(self, name: str, handler: Handler) -> None:
        """Have calls of the function `name` answered by `handler(event)`; what it raises is a function error."""
        self.handlers[name] = handler

    def _invoke(self, name: str, payload: bytes) -> LambdaResult:
        short = name.rpartition(":function:")[2]
        handler = self.handlers.get(short) or self.handlers.get(short.partition(":")[0])
        if handler is None:
            raise FunctionNotFoundError(f"Function not found: {name}")
        event = json.loads(payload)
        self.calls.append((short, event))
        try:
            return LambdaResult(dumps(handler(event)).encode())
        except Exception as error:  # as in Lambda, whatever a handler raises becomes a function error
            failure = {"errorMessage": str(error), "errorType": type(error).__name__}
            return LambdaResult(dumps(failure).encode(), function_error="Unhandled")

    def machine(self, definition: dict[str, Json] | str | Path, name: str | None = None, type: str = "STANDARD") -> str:
        """Create a state machine, once per definition; from a dict, JSON text or a file."""
        text = definition.read_text() if isinstance(definition, Path) else definition
        source = text if isinstance(text, str) else dumps(text)
        known = self._machines.get(source)
        if known is not None and name is None:
            return known
        default = (
            definition.stem.partition(".")[0] if isinstance(definition, Path) else f"machine-{len(self._machines)}"
        )
        arn = self.engine.create_state_machine(name or default, source, type=type)
        self._machines[source] = arn
        if self._coverage is not None:
            self._coverage.watch(name or default, loads(source))
            self.engine.core.interpreter.observe = self._coverage.observe
        return arn

    def start(
        self,
        machine: dict[str, Json] | str | Path,
        input: Json = None,
        name: str | None = None,
        run: bool = True,
    ) -> Run:
        """Start an execution of a definition or a machine's ARN; `run` lets it go as far as it gets now."""
        is_arn = isinstance(machine, str) and machine.startswith("arn:")
        arn = str(machine) if is_arn else self.machine(machine)
        execution_arn = self.engine.start_execution(arn, {} if input is None else input, name)
        if run:
            self.engine.run_until(self.clock.now())
        return Run(self.engine.execution(execution_arn), self.engine)

    def finish(self, run: Run) -> Run:
        """Let virtual time pass until nothing is scheduled any more."""
        self.engine.run()
        return run

    def run(self, machine: dict[str, Json] | str | Path, input: Json = None, name: str | None = None) -> Run:
        """Start an execution and let time pass until nothing is scheduled any more."""
        return self.finish(self.start(machine, input, name, run=False))


class VirtualTime:
    """The engine's clock in a test's hands."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self) -> float:
        """Seconds since the epoch, virtually."""
        return self._engine.clock.now()

    def advance(self, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Let time pass; everything that is due meanwhile happens, in order."""
        self._engine.advance(seconds + 60 * (minutes + 60 * (hours + 24 * days)))
