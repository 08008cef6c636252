"""One saga in a world where anything can go wrong: functions cross each other at every call they make."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final
from unittest import mock

from werkzeug.wrappers import Request

from lambdas.adapters.observability import StepHandler
from lambdas.adapters.steps import Surroundings
from lambdas.core.changes import Write
from lambdas.core.errors import NotPossible, RetryableError
from lambdas.core.model import Event
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.ledger import Snapshot
from lambdas.core.states import ENDINGS, UNDECIDED, SagaStatus
from lambdas.core.steps.saga import ReleaseReason
from local.clock import VirtualClock
from local.simulators.faults import Fault, FaultKind
from local.stepfunctions import LambdaResult
from local.stepfunctions.errors import ApiError
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from tests.simulation.answers import Answer
from tests.simulation.clouds import CLOUDS, Clouds
from tests.simulation.judge import Judge
from tests.simulation.ledger import SimulatedLedger
from tests.simulation.upsets import (
    CONTROLS,
    FUNCTION_KINDS,
    START_KINDS,
    Upset,
    Upsets,
    changes_something,
    is_create,
    kinds_at,
)
from tests.simulation.wire import Exchange, answered
from tests.simulation.workers import Worker, Workers
from tests.simulation.world import World

FUNCTION_TIMEOUT: Final = 30.0
"""Seconds after which Lambda ends a call, as deployed."""

_SWEPT_AFTER: Final = 2 * 3600.0
_LATEST_EFFECT: Final = 200.0
_MOST_STEPS: Final = 200_000
_CALLS_AGAIN_AFTER: Final = 2.0
_CLOUD_FAULTS: Final = frozenset(FaultKind) - {FaultKind.SLOW, FaultKind.QUOTE}

Mutation = Callable[[dict[str, Any]], None]
"""Changes a state machine's definition in place."""


@dataclass
class SimulatedWorld(World):
    """A World whose functions take virtual time, on clouds and a ledger that `upsets` befall; it holds one saga.

    `execution_timeout` replaces the provisioning machine's own, `mutations` change the definitions by name, and
    `answer` is what comes of a wish for approval.
    """

    kept: Clouds | None = None
    upsets: Upsets = field(default_factory=Upsets)
    execution_timeout: int | None = None
    mutations: Mapping[str, Mutation] = field(default_factory=dict)
    answer: Answer | None = None
    saga_id: str = ""
    log: list[tuple[float, str]] = field(default_factory=list)
    taken_up: int = 0

    def __post_init__(self) -> None:
        """Put the parts together, and the wire to the clouds into this world's hands."""
        self._latency = Random(f"latency:{self.seed}")  # noqa: S311 -- runs must repeat for a seed
        self._stopped = False
        self._asked = False
        self._started = self.clock.now()
        self.judge = Judge(lambda cloud: self.clouds[cloud].inventory(), self.standing, self.clock.now)
        super().__post_init__()
        self.workers = Workers(self.engine)
        self.engine.core.dispatch = self._dispatch
        assert self.kept is not None
        self.kept.wire.carrier = self

    def standing(self) -> Snapshot:
        """The saga as it is written."""
        ledger = self.ledger
        assert isinstance(ledger, SimulatedLedger)
        return ledger.now_standing(self.saga_id)

    def begin(self, document: Mapping[str, Any]) -> None:
        """Submit the request; its saga's id follows from the seed."""
        self.saga_id = f"s{self.seed:015d}"
        with mock.patch("lambdas.core.sagas.new_saga_id", return_value=self.saga_id):
            self.submit(document)

    def run(self) -> None:
        """Let everything happen until nothing is scheduled, or it is clear that there is no end to it."""
        for _ in range(_MOST_STEPS):
            if not self.engine.step():
                return
        self.judge.blame("endings", f"it does not come to rest within {_MOST_STEPS} steps")

    def conclude(self) -> None:
        """Wait for whatever may still come late, and have the run judged."""
        took = self.clock.now() - self._started
        self.engine.advance(_LATEST_EFFECT)
        self.judge.conclude(CLOUDS, took)

    def settle(self) -> None:
        """Let everything happen; the hourly sweep takes up a saga that nobody works on any more."""
        self.run()
        for _ in range(24):
            if self.standing().saga.status in ENDINGS:
                return
            self.taken_up += 1
            self.engine.advance(_SWEPT_AFTER)
            self.start_release(self.saga_id, ReleaseReason.COMPENSATE, self._number())
            self.run()

    def note(self, text: str) -> None:
        """Add to the timeline."""
        self.log.append((self.clock.now() - self._started, text))

    def make_ledger(self, clock: Clock) -> SimulatedLedger:
        """The ledger, a few milliseconds away."""
        return SimulatedLedger(clock, self._ask_ledger, self._travel, self._written, self.judge.known)

    def definition(self, name: str) -> str:
        """The definition as it is, but for the timeout and the mutations."""
        document: dict[str, Any] = json.loads(super().definition(name))
        if name == "provisioning" and self.execution_timeout:
            document["TimeoutSeconds"] = self.execution_timeout
        if name in self.mutations:
            self.mutations[name](document)
        return json.dumps(document)

    def on_status_change(self, detail: dict[str, Any]) -> None:
        """The rescue rule, and a line in the timeline."""
        self.note(f"{detail['stateMachineArn'].rpartition(':')[2]} {detail['status']}")
        self._stopped = self._stopped or detail["status"] in ("ABORTED", "TIMED_OUT")
        super().on_status_change(detail)

    def start_provisioning(self, saga_id: str) -> None:
        """Start provisioning; once is enough."""
        with suppress(ApiError):
            super().start_provisioning(saga_id)

    def start_release(self, saga_id: str, reason: ReleaseReason, attempt: int) -> None:
        """Start releasing; once is enough."""
        with suppress(ApiError):
            super().start_release(saga_id, reason, attempt)

    def wake(self, token: str) -> None:
        """Wake a task that waits; the call may be refused, or its answer lost. Raises RetryableError."""
        upset = self._befalls("states:sendTaskSuccess", START_KINDS)
        if upset is None or upset.kind == "unanswered":
            super().wake(token)
        if upset is not None:
            raise RetryableError("ServiceUnavailable", "the state machine could not be woken")

    def invoke(self, name: str, payload: bytes) -> LambdaResult:
        """Call a function without remembering the call."""
        result = super().invoke(name, payload)
        self.calls.clear()
        return result

    def _make_handlers(self, surroundings: Surroundings) -> Iterator[tuple[str, StepHandler]]:
        """Handlers without Powertools, whose sinks are one per process and do not expect functions that cross."""
        for name, handler in super()._make_handlers(surroundings):
            yield name, inspect.unwrap(handler)

    def _dispatch(self, request: TaskRequest) -> None:
        self.engine.call_at(self.clock.now() + self._hop(), partial(self._call, request))

    def _call(self, request: TaskRequest) -> None:
        label, kinds = _site(request)
        upset = self._befalls(label, kinds)
        kind = upset.kind if upset else None
        if request.resource.service == "states":
            self._start_execution(request, kind)
        elif kind == "throttled":
            refused = Outcome("failed", error="Lambda.TooManyRequestsException", cause="Rate Exceeded.")
            self._report(request, label, refused)
        elif upset and kind == "cold":
            self.engine.call_at(self.clock.now() + upset.seconds, partial(self._run_worker, request, label, None))
        else:
            dies_at = int(upset.seconds) if upset and kind == "killed" else None
            self._run_worker(request, label, dies_at, unanswered=kind == "unanswered")
            if upset and kind == "repeated":
                moment = self.clock.now() + upset.seconds
                self.engine.call_at(moment, partial(self._run_worker, request, f"{label} again", None, echo=True))

    def _start_execution(self, request: TaskRequest, kind: str | None) -> None:
        outcome = Outcome("failed", error="StepFunctions.StepFunctionsException", cause="refused for now")
        if kind != "refused":
            done = self.engine.calls.outcome(request)
            outcome = outcome if kind == "unanswered" else done
        self._report(request, "states:startExecution", outcome)

    def _run_worker(
        self, request: TaskRequest, label: str, dies_at: int | None, *, unanswered: bool = False, echo: bool = False
    ) -> None:
        worker = Worker(label, self.clock.now(), dies_at)
        timeout = self.engine.call_at(self.clock.now() + FUNCTION_TIMEOUT, lambda: self.workers.kill(worker))

        def ended(worker: Worker) -> None:
            timeout.cancel()
            outcome = worker.outcome
            if outcome is None or unanswered:
                expired = self.clock.now() >= worker.began + FUNCTION_TIMEOUT
                error = "Sandbox.Timedout" if expired else "Runtime.ExitError"
                outcome = Outcome("failed", error=error, cause="{}")
            if not echo:
                self._report(request, label, outcome)

        self.workers.start(worker, lambda: self.engine.calls.outcome(request), ended)

    def _report(self, request: TaskRequest, label: str, outcome: Outcome) -> None:
        self.note(f"{label} {outcome.error or 'done'}")
        token_may_be_faster = request.resource.pattern == "waitForTaskToken"
        if outcome.kind == "succeeded" and token_may_be_faster:
            outcome = Outcome("submitted", output=outcome.output)
        heard = self.engine.core.finish_attempt(request.execution_arn, request.attempt, outcome)
        ended = self.engine.core.executions[request.execution_arn].status in ("ABORTED", "TIMED_OUT")
        if not (heard or self._stopped or ended or token_may_be_faster):
            self.judge.unheard(label)

    def carry(self, exchange: Exchange) -> None:
        """A request leaves a worker, and its answer comes back, late, or never."""
        worker = self.workers.current
        operation = self._operation(exchange)
        if worker is None or operation.endswith(("token", "Token")):
            exchange.answer = answered(self._simulator(exchange), exchange.environ)
            return
        worker.go_outside()
        if is_create(operation):
            self.judge.sent(operation, worker.began)
        sent = self.clock.now()
        self.engine.call_at(sent + self._hop(), partial(self._serve, exchange, operation, worker, sent))
        worker.pause()

    def _serve(self, exchange: Exchange, operation: str, worker: Worker, sent: float) -> None:
        upset = self._befalls(f"{exchange.cloud}:{operation}", kinds_at(operation))
        if upset and upset.kind in _CLOUD_FAULTS:
            self.clouds[exchange.cloud].arm([Fault(operation="*", fault=FaultKind(upset.kind), delay=upset.seconds)])
        answer = answered(self._simulator(exchange), exchange.environ)
        self.note(f"  {exchange.cloud} {operation} {answer.status or 'no answer'} ({worker.label})")
        if changes_something(operation):
            self.judge.look(exchange.cloud)
        answered_at = self.clock.now() + self._hop()
        if upset and upset.kind == "slow":
            answered_at += upset.seconds
        if upset and upset.kind == "late":
            self.engine.call_at(self.clock.now() + upset.seconds + 0.001, lambda: self.judge.look(exchange.cloud))
            answered_at += exchange.patience
        gives_up_at = sent + exchange.patience
        if answered_at <= gives_up_at:
            exchange.answer = answer
        self.workers.wake_at(min(answered_at, gives_up_at), worker)

    def _ask_ledger(self, site: str, kinds: Sequence[str]) -> Upset | None:
        worker = self.workers.current if hasattr(self, "workers") else None
        if worker is None:
            return None
        worker.go_outside()
        self._travel()
        upset = self._befalls(site, kinds)
        if upset and upset.kind == "slow":
            self.workers.sleep_until(self.clock.now() + upset.seconds)
        return upset

    def _travel(self) -> None:
        self.workers.sleep_until(self.clock.now() + self._hop())

    def _written(self, write: Write) -> None:
        self.note(_told(write.event))
        self.judge.written(write)
        if write.saga.status is SagaStatus.AWAITING_APPROVAL and self.answer and not self._asked:
            self._asked = True
            self._be_answered(self.answer)

    def _be_answered(self, answer: Answer) -> None:
        if answer.verb is None:
            return
        self.engine.call_at(self.clock.now() + answer.delay, partial(self._answer, answer.verb))
        if answer.again is not None:
            self.engine.call_at(self.clock.now() + answer.delay + answer.again, partial(self._answer, answer.verb))

    def _answer(self, verb: str) -> None:
        """Somebody calls the API, and again when it says that it is not available."""
        open_until_now = self.standing().saga.status in UNDECIDED
        self.note(f"! somebody calls {verb}")
        try:
            if verb == "approve":
                self.sagas.approve(self.saga_id, "somebody")
            else:
                self.sagas.cancel(self.saga_id)
        except NotPossible as refusal:
            self.note(f"  refused: {refusal}")
        except RetryableError:
            self.engine.call_at(self.clock.now() + _CALLS_AGAIN_AFTER, partial(self._answer, verb))
        self.judge.cancel_accepted |= open_until_now and self.standing().saga.cancel_requested

    def _befalls(self, site: str, kinds: Sequence[str]) -> Upset | None:
        """What goes wrong with this call; what a person or AWS does at this instant is done here and now."""
        upset = self.upsets.at(site, kinds)
        if upset is None:
            return None
        self.note(f"! {upset}")
        if upset.kind not in CONTROLS:
            return upset
        running, self.workers.current = self.workers.current, None
        try:
            getattr(self, f"_{upset.kind}")()
        finally:
            self.workers.current = running
        return None

    def _cancel(self) -> None:
        self._answer("cancel")

    def _abort(self) -> None:
        self._stopped = True
        for execution in [it for it in self.engine.core.executions if it.running and it.map_run is None]:
            self.engine.executions.stop({"executionArn": execution.arn})

    def _batch(self) -> None:
        for execution in [it for it in self.engine.core.executions if it.running and it.origin.express]:
            self.engine.core.apply("stop", arn=execution.arn, error=None, cause=None)

    def _restart(self) -> None:
        self.start_provisioning(self.saga_id)
        if self.standing().saga.status in (SagaStatus.COMPENSATING, SagaStatus.RELEASING):
            self.start_release(self.saga_id, ReleaseReason.COMPENSATE, self._number())

    def _number(self) -> int:
        return len(self.log) + 1_000_000

    def _hop(self) -> float:
        return self._latency.uniform(0.002, 0.1)

    def _operation(self, exchange: Exchange) -> str:
        operation: str = self._simulator(exchange).operation(Request(exchange.environ, populate_request=False))
        body = exchange.environ["wsgi.input"]
        body.seek(0)
        dry = b"DryRun=true" in body.read()
        body.seek(0)
        return f"{operation} (dry run)" if dry else operation

    def _simulator(self, exchange: Exchange) -> Any:
        assert self.kept is not None
        return self.kept.simulators[exchange.cloud]


def world_on(kept: Clouds, seed: int, **options: Any) -> SimulatedWorld:
    """A fresh skysaga on three emptied clouds; whatever is random in it follows from the seed."""
    clock = VirtualClock()
    kept.empty(clock, seed)
    return SimulatedWorld(clock, kept.under_test(clock), seed=seed, kept=kept, **options)


def _site(request: TaskRequest) -> tuple[str, tuple[str, ...]]:
    if request.resource.service == "states":
        return "states:startExecution", START_KINDS
    name = str(request.parameters["FunctionName"]).rpartition(":")[2].removeprefix("skysaga-")
    payload = request.parameters["Payload"]
    return f"{name}:{payload.get('resource_id') or payload.get('step')}", FUNCTION_KINDS


def _told(event: Event) -> str:
    about = event.resource_id or "SAGA"
    return f"{about} {event.status}" + (f": {event.message}" if event.message else "")
