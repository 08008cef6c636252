"""The engine: the API's operations, the integrations and the clock, put together around the core."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from local.clock import Clock, VirtualClock, WallClock
from local.stepfunctions.api.executions import ExecutionOperations
from local.stepfunctions.api.machines import MachineOperations
from local.stepfunctions.api.map_runs import MapRunOperations
from local.stepfunctions.api.operations import ApiOperations
from local.stepfunctions.api.store import MachineStore
from local.stepfunctions.api.tags import TagOperations
from local.stepfunctions.api.tasks import TaskOperations
from local.stepfunctions.api.versions import VersionOperations
from local.stepfunctions.asl.program import TaskSpec
from local.stepfunctions.call_pool import CallPool
from local.stepfunctions.calls_in_place import CallsInPlace
from local.stepfunctions.events import status_change
from local.stepfunctions.integrations.calls import Calls, Endpoints
from local.stepfunctions.integrations.lambda_function import Invoke, no_lambda
from local.stepfunctions.integrations.state_machine import nested_outcome
from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.mocks import MockConfig
from local.stepfunctions.runtime.core import Core
from local.stepfunctions.runtime.execution import Execution
from local.stepfunctions.runtime.history import event_document
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from local.stepfunctions.runtime.ledger import Retention
from local.stepfunctions.runtime.scheduler import SharedTimer

_log = logging.getLogger(__name__)
ACCOUNT = "123456789012"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/stepfunctions"


class Engine:
    """A Step Functions service in this process.

    On a VirtualClock nothing happens until `run`, `run_until` or `step` is called, and functions are called on the
    caller's thread. On any other clock a thread of the engine's own runs what is due, and a pool calls functions; with
    `in_place`, for functions that never wait, each is called by the thread that it follows from, and `start_execution`
    returns when there is nothing left to do but wait.
    `retention` limits which finished executions are kept; Wait states take `wait_scale` times as long as they say.
    `data` is the journal's directory; with `sync` it survives the machine, without it the process.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int = 0,
        lambda_invoke: Invoke = no_lambda,
        on_status_change: Callable[[dict[str, Json]], None] | None = None,
        account: str = ACCOUNT,
        region: str = REGION,
        endpoints: Endpoints | None = None,
        data: Path | None = None,
        mocks: Path | None = None,
        retention: Retention | None = None,
        wait_scale: float = 1.0,
        sync: bool = False,
        in_place: bool = False,
    ) -> None:
        self.clock = clock or WallClock()
        self.virtual = isinstance(self.clock, VirtualClock)
        self.core = Core(self.clock, seed, account, region, retention, wait_scale)
        self._on_status_change = on_status_change
        store = MachineStore()
        self.executions = ExecutionOperations(self.core, store)
        self.api = ApiOperations(
            self.core,
            MachineOperations(store, account, region),
            VersionOperations(store),
            TagOperations(store, self.core.activities),
            self.executions,
            TaskOperations(self.core),
            MapRunOperations(self.core),
        )
        self.calls = Calls(
            self.core,
            self.executions,
            lambda_invoke,
            endpoints or Endpoints(),
            self.handle_call,
            self._report,
            self._later,
            MockConfig(mocks) if mocks is not None else None,
        )
        self.api.tester.perform = self.calls.outcome
        self.core.dispatch = self._call_at_once
        self.core.on_end = self._ended
        self.core.on_start = self._announce
        self._pool: CallPool | None = None
        self._in_place: CallsInPlace | None = None
        self._thread: threading.Thread | None = None
        self._closing = False
        self._awaiting: dict[str, list[threading.Event]] = {}
        if data is not None:
            from local.stepfunctions.journal import Journal  # noqa: PLC0415 - only engines that survive need it

            Journal(data, sync).attach(self.core)
        if in_place and not self.virtual:
            self._in_place = CallsInPlace(self.calls.make, self.core.finish_attempt, self.core.settle)
            self.core.dispatch = self._in_place.submit
        elif not self.virtual:
            self._pool = CallPool(self.calls.make, self.core.report, self.core.settle_or_park)
            self.core.dispatch = self._pool.submit
        self._resume()
        if not self.virtual:
            self._start()

    def create_state_machine(
        self, name: str, definition: str | dict[str, Json], role_arn: str = ROLE, type: str = "STANDARD"
    ) -> str:
        """Create a state machine and return its ARN; raises ApiError."""
        text = definition if isinstance(definition, str) else dumps(definition)
        request = {"name": name, "definition": text, "roleArn": role_arn, "type": type}
        answer: str = self.api.call("CreateStateMachine", request)["stateMachineArn"]
        self.core.settle()
        return answer

    def start_execution(self, machine_arn: str, input: Json = None, name: str | None = None) -> str:
        """Start an execution with a JSON value (or JSON text) and return its ARN; raises ApiError."""
        text = input if isinstance(input, str) else dumps({} if input is None else input)
        request = {"stateMachineArn": machine_arn, "input": text, **({"name": name} if name else {})}
        arn = self.executions.start(request)[0].arn
        self._settle()
        return arn

    def execution(self, arn: str) -> Execution:
        """An execution's state: status, output_text, error, cause; raises KeyError."""
        return self.core.executions[arn]

    def history(self, arn: str) -> list[dict[str, Json]]:
        """An execution's events, as GetExecutionHistory answers them."""
        return [event_document(event) for event in self.core.executions[arn].history.events]

    def connect(self, endpoints: Endpoints) -> None:
        """Say where AWS's other services are, before the first task calls one; for whoever learns it late."""
        self.calls.endpoints = endpoints

    def call_at(self, moment: float, action: Callable[[], None]) -> SharedTimer:
        """Have `action` called at `moment` on the engine's thread; for whatever shares the engine's clock."""
        return SharedTimer(self.core.call_at(moment, action), self.core.changed)

    def step(self) -> bool:
        """Do the next thing, moving a virtual clock to its moment; False when nothing is scheduled."""
        with self.core.changed:
            moment = self.core.scheduler.next_moment()
            if moment is None:
                return False
            timer = self.core.scheduler.pop()
            self._reach(moment)
        self.core.settle()
        timer.action()
        self._settle()
        return True

    def run(self) -> None:
        """Do everything that is scheduled until nothing is."""
        while self.step():
            pass

    def run_until(self, moment: float) -> None:
        """Do everything due up to `moment` and leave a virtual clock there."""
        while (due := self._next_moment()) is not None and due <= moment:
            self.step()
        with self.core.changed:
            self._reach(moment)

    def _next_moment(self) -> float | None:
        with self.core.changed:
            return self.core.scheduler.next_moment()

    def _reach(self, moment: float) -> None:
        if isinstance(self.clock, VirtualClock) and moment > self.clock.now():
            self.clock.advance_to(moment)

    def run_forever(self) -> None:
        """Keep virtual time running, one thing after the other, until the engine is closed."""
        while not self._closing:
            if not self.step():
                with self.core.rescheduled:
                    if self.core.scheduler.next_moment() is None and not self._closing:
                        self.core.rescheduled.wait()

    def advance(self, seconds: float) -> None:
        """Let `seconds` of virtual time pass."""
        self.run_until(self.clock.now() + seconds)

    def handle(self, target: str, body: bytes) -> tuple[int, bytes]:
        """Answer a request of the JSON 1.0 protocol; `target` is `AWSStepFunctions.StartExecution` and the like."""
        answer = self.api.handle(target, body, self)
        self._settle()
        return answer

    def handle_call(self, operation: str, request: dict[str, Any]) -> dict[str, Json]:
        """Answer an API call made by one of the engine's own tasks; raises ApiError."""
        answer = self.api.answer(operation, request, self)
        self._settle()
        return answer

    def await_end(self, arn: str, seconds: float) -> Execution:
        """Return an execution when it has ended, or after so many seconds; raises KeyError. For real time.

        Waiting costs the engine nothing, however many do it; only the one whose execution has ended is woken.
        """
        with self.core.changed:
            execution = self.core.executions[arn]
            if not execution.running:
                return execution
            ended = threading.Event()
            self._awaiting.setdefault(arn, []).append(ended)
        ended.wait(seconds)
        self.core.settle()
        return execution

    def wait(self, ready: Callable[[], Json], seconds: float) -> Json:
        """Wait until `ready()` is neither None nor False, at most `seconds`; virtual time runs on meanwhile."""
        deadline = self.clock.now() + seconds
        while True:
            with self.core.changed:
                found = ready()
                left = deadline - self.clock.now()
                if found is not None and found is not False:
                    return found
                if left <= 0 or self._closing:
                    return None
                if not self.virtual:
                    self.core.changed.wait(left)
                    continue
            due = self._next_moment()
            if due is None or due > deadline:
                self.run_until(deadline)
            else:
                self.step()

    def _call_at_once(self, request: TaskRequest) -> None:
        self.core.scheduler.call_at(self.clock.now(), partial(self._call_now, request))

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self.call_at(self.clock.now() + seconds, action if self.virtual else partial(self._in_background, action))

    def _in_background(self, action: Callable[[], None]) -> None:
        threading.Thread(target=action, name="stepfunctions-poll", daemon=True).start()

    def _call_now(self, request: TaskRequest) -> None:
        self.core.report(request, self.calls.make(request))

    def _report(self, request: TaskRequest, outcome: Outcome) -> None:
        self.core.report(request, outcome)
        self._settle()

    def _settle(self) -> None:
        """Have what was applied in the journal, and make the calls that are this thread's to make."""
        self.core.settle()
        if self._in_place is not None:
            self._in_place.make()

    def _resume(self) -> None:
        self.core.resume()
        for execution in list(self.core.executions):
            if not execution.running:
                for arn, attempt in execution.watchers:
                    self._tell_watcher(execution, arn, attempt)
        self._settle()

    def _ended(self, execution: Execution) -> None:
        for arn, attempt in execution.watchers:
            self.core.after(partial(self._tell_watcher, execution, arn, attempt))
        self._announce(execution)
        for ended in self._awaiting.pop(execution.arn, ()):
            self.core.after(ended.set)

    def _tell_watcher(self, execution: Execution, arn: str, attempt: int) -> None:
        parent = self.core.executions.get(arn)
        waiting = parent.attempts.get(attempt) if parent is not None else None
        if waiting is None:
            return
        spec = cast("TaskSpec", waiting.branch.state.spec)
        outcome = nested_outcome(execution, spec.resource.pattern)
        self.core.finish_attempt(arn, attempt, outcome)

    def _announce(self, execution: Execution) -> None:
        if self._on_status_change is not None and execution.map_run is None:
            tell = partial(self._on_status_change, status_change(execution))
            self.core.after(partial(self.call_at, self.core.now, tell))

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="stepfunctions", daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        core = self.core
        while not self._closing:
            with core.rescheduled:
                core.awaited = due = core.scheduler.next_moment()
                left = None if due is None else due - self.clock.now()
                if not self._closing and (left is None or left > 0):
                    core.rescheduled.wait(left)
                    continue
                core.awaited = float("-inf")
                if self._closing:
                    return
            try:
                self.step()
            except Exception:  # one action's failure must not stop the time for all
                _log.exception("a scheduled action failed")

    def close(self) -> None:
        """Stop the engine's threads; what runs stays as it is, and is in the journal."""
        with self.core.changed:
            self._closing = True
            self.core.changed.notify_all()
            self.core.rescheduled.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=5)
        if self._pool is not None:
            self._pool.close()
        self.core.settle()
