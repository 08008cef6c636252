"""The engine's heart: applies one input at a time, in one thread of thought, and hands it to the journal first.

An input is a plain dict with "op" and "t", its moment. Applying the same inputs in the same order gives the same state,
so a journal of inputs is all that has to survive. Calls to the outside are requested while an input is applied and made
afterwards by whoever set `dispatch`, who calls `settle` before: then the journal has what led to the call. So does
whoever answers an API call. The calls' outcomes come back as inputs.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from local.clock import Clock, VirtualClock
from local.stepfunctions.errors import ApiError, Fault
from local.stepfunctions.identity import draw_uuid
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.archive import Archive
from local.stepfunctions.runtime.execution import Attempt, Execution, Randomness
from local.stepfunctions.runtime.history import HistoryFullError
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from local.stepfunctions.runtime.interpreter import Interpreter
from local.stepfunctions.runtime.ledger import Executions, Retention
from local.stepfunctions.runtime.map_run import MapRun
from local.stepfunctions.runtime.scheduler import Scheduler, Timer
from local.stepfunctions.runtime.tokens import Activities, Tokens

Input = dict[str, Any]
_log = logging.getLogger(__name__)


class Core:
    """Holds every execution and applies inputs to them; implements what the interpreter needs of its Host."""

    def __init__(
        self,
        clock: Clock,
        seed: int,
        account: str,
        region: str,
        retention: Retention | None = None,
        wait_scale: float = 1.0,
    ) -> None:
        self.clock = clock
        self.account = account
        self.region = region
        self.scheduler = Scheduler(seed)
        self._lock = threading.RLock()
        self.changed = threading.Condition(self._lock)
        self.rescheduled = threading.Condition(self._lock)
        self.awaited: float | None = None
        self._notable = False
        self.executions = Executions(retention)
        self._archive = Archive(self._lock, self._aside)
        self.wait_scale = wait_scale
        self.tokens = Tokens(seed)
        self.activities = Activities()
        self.pending: dict[tuple[str, int], TaskRequest] = {}
        self.interpreter = Interpreter(self)
        self.replaying = False
        self.nested_elsewhere = False
        self.journal: Callable[[Input], None] | None = None
        self.settle: Callable[[], None] = lambda: None
        self.settle_or_park: Callable[[Callable[[], None]], bool] = lambda later: True
        self.dispatch: Callable[[TaskRequest], None] = lambda request: None
        self.on_start: Callable[[Execution], None] = lambda execution: None
        self.on_end: Callable[[Execution], None] = lambda execution: None
        self.operations: dict[str, Callable[[Input], Json]] = {
            "timer": self._timer,
            "outcome": self._outcome,
            "heartbeat": self._heartbeat,
            "activity": self._activity,
        }
        self._seed = seed
        self._interleave: Random | None = None
        self._identities = Random(f"{seed}:identities")  # noqa: S311 - as above
        self._ready: list[Callable[[], None]] = []
        self._reported: deque[tuple[TaskRequest, Outcome]] = deque()
        self._taking = threading.Lock()
        self.moment = clock.now()
        self._applying = False
        self._after: list[Callable[[], object]] = []

    @property
    def now(self) -> float:
        """The moment of the input being applied, or else the clock's."""
        return self.moment if self._applying else self.clock.now()

    def apply(self, op: str, **fields: Json) -> Json:
        """Journal an input and apply it with everything that follows; returns the operation's own answer."""
        with self._lock:
            record = {"op": op, "t": self.clock.now(), **fields}
            if self.journal is not None:
                self.journal(record)
            result = self.replay(record)
            self.wake()
        return result

    def wake(self) -> None:
        """Wake those whose turn it may be: callers when something has ended or is on offer, the thread that keeps time
        when the next moment comes before the one it waits for.
        """
        if self._notable:
            self._notable = False
            self.changed.notify_all()
        moment = self.scheduler.next_moment()
        if moment is not None and (self.awaited is None or moment < self.awaited):
            self.rescheduled.notify_all()

    def replay(self, record: Input) -> Json:
        """Apply an input that has been journaled."""
        if self._seed and not self._applying:
            self._interleave = self._interleaving(record)
        return self._carry_out(record["t"], partial(self.operations[record["op"]], record))

    def _carry_out(self, moment: float, operation: Callable[[], Json]) -> Json:
        outermost = not self._applying
        self._applying, self.moment = True, moment
        try:
            result = self._operate(operation)
            self._drain()
        finally:
            self._applying = not outermost
        if outermost:
            self._run_after()
        return result

    def _operate(self, operation: Callable[[], Json]) -> Json:
        try:
            return operation()
        except HistoryFullError:
            return None  # the execution has been ended where it happened

    def try_replay(self, record: Input) -> None:
        """Apply a journaled input whose answer nobody waits for; what it raised then, it raises again and as vainly."""
        try:
            self.replay(record)
        except Exception as error:
            if not isinstance(error, ApiError):
                _log.exception("a journaled input failed again")
            self._ready.clear()

    def _interleaving(self, record: Input) -> Random:
        """An input's own shuffle, so that it is the same whatever became of the inputs before it."""
        return Random(f"{self._seed}:{record['t']}:{record.get('arn')}:{record.get('n')}")  # noqa: S311 - as above

    def identify_anew(self, last: Input) -> None:
        """Give identities that differ from those given before a restart; `last` is the last input before it."""
        self._identities = Random(f"{self._seed}:identities:{sorted(last.items())}")  # noqa: S311 - as above

    def _drain(self) -> None:
        ready = self._ready
        position = 0
        failed: Exception | None = None
        while position < len(ready):
            if self._interleave is not None and position + 1 < len(ready):
                other = self._interleave.randrange(position, len(ready))
                ready[position], ready[other] = ready[other], ready[position]
            action = ready[position]
            position += 1
            if position > 1000:
                del ready[:position]
                position = 0
            try:
                action()
            except HistoryFullError:
                continue  # the execution has been ended where it happened
            except Exception as error:  # a fault of the engine's own: what else follows from the input still happens
                failed = error
        ready.clear()
        if failed is not None:
            raise failed

    def _run_after(self) -> None:
        while self._after:
            self._after.pop(0)()

    def after(self, action: Callable[[], object]) -> None:
        """Have `action` called once the current input is done with, but never while replaying."""
        if not self.replaying:
            self._after.append(action)

    def _aside(self, action: Callable[[], None]) -> None:
        """Have `action` called where nobody waits for it: in real time by the thread that keeps it."""
        if self.replaying or isinstance(self.clock, VirtualClock):
            action()
        else:
            self.after(partial(self.call_at, self.now, action))

    def call_at(self, moment: float, action: Callable[[], None]) -> Timer:
        """Have `action` called at `moment`; it is no input, so no journal knows of it."""
        with self._lock:
            timer = self.scheduler.call_at(moment, action)
            self.wake()
        return timer

    def soon(self, action: Callable[[], None]) -> None:
        """Have `action` called before this input is done with."""
        self._ready.append(action)

    def arm(self, execution: Execution, moment: float, action: Callable[[], None]) -> int:
        """Have `action` called at `moment`, as an input of its own."""
        execution.timers_made += 1
        number = execution.timers_made
        timer = self.scheduler.call_at(moment, partial(self._due, execution.arn, number))
        execution.timers[number] = (timer, action)
        return number

    def disarm(self, execution: Execution, number: int | None) -> None:
        """Make an armed call not happen."""
        entry = execution.timers.pop(number, None) if number is not None else None
        if entry is not None:
            entry[0].cancel()

    def _due(self, arn: str, number: int) -> None:
        with self._lock:
            execution = self.executions.get(arn)
            if execution is not None and number in execution.timers:
                self.apply("timer", arn=arn, n=number)

    def _timer(self, record: Input) -> None:
        execution = self.executions[record["arn"]]
        timer, action = execution.timers.pop(record["n"])
        timer.cancel()
        action()

    def submit(self, request: TaskRequest) -> None:
        """Have a call made once this input is done with."""
        self.pending[request.execution_arn, request.attempt] = request
        self.after(partial(self._dispatch, request))

    def _dispatch(self, request: TaskRequest) -> None:
        if (request.execution_arn, request.attempt) in self.pending:
            self.dispatch(request)

    def resume(self) -> None:
        """Make the calls whose outcome was not journaled before the engine stopped.

        Nothing else may run yet: what an overdue timer asks for would be found here and called twice.
        """
        for request in list(self.pending.values()):
            self._dispatch(request)

    def report(self, request: TaskRequest, outcome: Outcome) -> None:
        """Take in a call's outcome; one for an attempt that is over is dropped.

        Whoever finds another at it leaves the outcome to that one and goes on: threads that queue for the lock would
        be switched to and from at every outcome, which costs more than the outcome.
        """
        self._reported.append((request, outcome))
        while self._reported and self._taking.acquire(blocking=False):
            try:
                self._take_reported()
            finally:
                self._taking.release()

    def _take_reported(self) -> None:
        failed: Exception | None = None
        while self._reported:
            request, outcome = self._reported.popleft()
            try:
                self.finish_attempt(request.execution_arn, request.attempt, outcome)
            except Exception as error:  # the others' outcomes count all the same
                failed = error
        if failed is not None:
            raise failed

    def finish_attempt(self, arn: str, attempt: int, outcome: Outcome) -> bool:
        """Apply an outcome; False when there is no such attempt any more."""
        with self._lock:
            execution = self.executions.get(arn)
            if execution is None or attempt not in execution.attempts:
                self.pending.pop((arn, attempt), None)
                return False
            if self.journal is None and not self._seed:  # most inputs are outcomes, and this one need not be written
                self._carry_out(self.clock.now(), partial(self._take_in, execution, attempt, outcome))
                self.wake()
                return True
            kind, output, error, cause = outcome
            self.apply("outcome", arn=arn, n=attempt, kind=kind, output=output, error=error, cause=cause)
            return True

    def _outcome(self, record: Input) -> None:
        outcome = Outcome(record["kind"], record["output"], record["error"], record["cause"])
        self._take_in(self.executions[record["arn"]], record["n"], outcome)

    def _take_in(self, execution: Execution, number: int, outcome: Outcome) -> None:
        if not self._still_asked_for(execution.arn, number, outcome):
            self.pending.pop((execution.arn, number), None)
        attempt = execution.attempts.get(number)
        if attempt is None:
            return
        inner = attempt.branch.inner
        if isinstance(inner, MapRun) and inner.attempt is attempt:
            self.interpreter.map_runs.called(inner, attempt, outcome)
        else:
            self.interpreter.tasks.end(attempt, outcome)

    def _still_asked_for(self, arn: str, number: int, outcome: Outcome) -> bool:
        """Whether a restart has to make the call again: to go on asking after a nested execution in another engine."""
        if outcome.kind != "submitted" or not self.nested_elsewhere:
            return False
        request = self.pending.get((arn, number))
        if request is None:
            return False
        return request.resource.service == "states" and request.resource.pattern.startswith("sync")

    def _heartbeat(self, record: Input) -> None:
        attempt = self.executions[record["arn"]].attempts.get(record["n"])
        if attempt is not None:
            self.interpreter.tasks.heartbeat(attempt)

    def _activity(self, record: Input) -> None:
        attempt = self.executions[record["arn"]].attempts.get(record["n"])
        if attempt is not None:
            self.activities.take(attempt)
            self.interpreter.tasks.activity_started(attempt, record.get("worker"))

    def issue_token(self, attempt: Attempt) -> str:
        """A token that stands for the attempt until it is over."""
        return self.tokens.issue(attempt)

    def offer_activity(self, attempt: Attempt, activity_arn: str) -> None:
        """Queue a task for an activity's workers; raises Fault for an activity that does not exist."""
        if not self.activities.exists(activity_arn):
            raise Fault(f"The activity {activity_arn} does not exist.")
        self._notable = True
        attempt.token = self.tokens.issue(attempt)
        self.activities.offer(activity_arn, attempt)

    def withdraw(self, attempt: Attempt) -> None:
        """The attempt is over."""
        self.pending.pop((attempt.branch.execution.arn, attempt.number), None)
        if attempt.token is not None:
            self.tokens.void(attempt.token)
            self.activities.take(attempt)

    def begin(self, execution: Execution) -> None:
        """Register an execution and start it."""
        self.executions.add(execution)
        self.on_start(execution)
        self.interpreter.start(execution)

    def start_child(self, execution: Execution) -> None:
        """Register and start a Distributed Map's child."""
        self.begin(execution)

    def resumed(self, execution: Execution) -> None:
        """An execution that had ended runs again."""
        self.executions.resumed(execution)

    def ended(self, execution: Execution) -> None:
        """Tell those who wait for an execution's end, and let go of what only a running one needs."""
        if execution.map_run is not None:
            self.soon(partial(self.interpreter.map_runs.child_ended, execution))
        if execution.status == "SUCCEEDED":
            execution.root = None
            if execution.map_run is None:
                execution.randomness.rest()
        self._archive.add(execution.history)
        self._notable = True
        self.executions.finished(execution)
        self.on_end(execution)

    def unique_id(self) -> str:
        """A UUID: anybody's guess in real time, repeatable for a seed in virtual time."""
        if isinstance(self.clock, VirtualClock):
            return draw_uuid(self._identities)
        return str(uuid.uuid4())

    def draw(self) -> float:
        """A number from 0 to 1, as `unique_id` is drawn."""
        return self._identities.random()

    def randomness_of(self, arn: str) -> Randomness:
        """An execution's own randomness, the same whenever the seed and the ARN are."""
        return Randomness(f"{self._seed}:{arn}")
