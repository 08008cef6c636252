"""Invoke on one machine: from a function's name to a worker and back, with Lambda's own limits and refusals."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal

from local.clock import Clock
from local.lambda_runtime.archives import ArchiveCache
from local.lambda_runtime.asynchronous import AsynchronousFailure, AsynchronousInvocations, QueuedEvent
from local.lambda_runtime.environment import TRACE_DAEMON, worker_environment
from local.lambda_runtime.errors import InvalidRequestContent, InvalidRuntime, RequestTooLarge
from local.lambda_runtime.faults import InvocationFaults
from local.lambda_runtime.functions import AsynchronousPolicy, DeployedFunction, FunctionSource
from local.lambda_runtime.logs import InvocationLog, LogDirectory
from local.lambda_runtime.pool import WorkerPool
from local.lambda_runtime.reference import FunctionReference
from local.lambda_runtime.runtime_api import Event
from local.lambda_runtime.runtime_packages import link_runtime_packages
from local.lambda_runtime.templates import INIT_SECONDS, Beginning, Templates, WorkerProcess
from local.lambda_runtime.worker import Worker, WorkerGone
from local.simulators.faults import Faults

_log = logging.getLogger(__name__)

# Lambda quotas, "Invocation payload": 6 MB synchronous, 1 MB asynchronous.
MAX_REQUEST_BYTES = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}

_ONCE = AsynchronousPolicy(maximum_retry_attempts=0)

InvocationType = Literal["RequestResponse", "Event", "DryRun"]


@dataclass(frozen=True)
class InvocationResult:
    """What Invoke answers; `log_tail` is at most the last 4 KiB of what the call logged."""

    payload: bytes
    function_error: str | None
    executed_version: str
    log_tail: bytes = field(default=b"", repr=False)


class LambdaRuntime:
    """Runs deployed functions in worker processes of their own; thread-safe, and nothing is left after `close`.

    `cache_dir` keeps unpacked code, `log_dir` one `NAME.log` per function; `worker_environment` is put over what is
    deployed (endpoints, credentials) whenever a worker starts. `max_workers` limits each function without reserved
    concurrency, a call over it waits; where all of them wait themselves, there may be four times as many. Event
    invocations run in the background by default; otherwise call `deliver_due_events` as the clock moves. Faults armed
    for a function's name strike its calls. Timeouts of running code are always real time, since the code is. `niceness`
    says by a function's name how much its workers yield the processors to others, 0 to 19. Workers that begin with the
    same imports have them from one process, unless each is to `import_anew`, as on AWS.
    """

    def __init__(
        self,
        functions: FunctionSource,
        clock: Clock,
        cache_dir: Path,
        log_dir: Path,
        worker_environment: Mapping[str, str],
        *,
        max_workers: int = 8,
        background_events: bool = True,
        on_asynchronous_failure: Callable[[AsynchronousFailure], None] | None = None,
        random: Random | None = None,
        faults: Faults | None = None,
        niceness: Callable[[str], int] = lambda _: 0,
        import_anew: bool = False,
        make_worker: Callable[[DeployedFunction, Callable[[str], WorkerProcess]], Worker] = Worker,
    ) -> None:
        self._functions = functions
        self._clock = clock
        self._archives = ArchiveCache(cache_dir / "tasks")
        self._runtime_packages = link_runtime_packages(cache_dir / "lambda-runtime")
        self._logs = LogDirectory(log_dir)
        self._overrides = worker_environment
        self._max_workers = max_workers
        self._niceness = niceness
        self._templates = Templates(sharing=not import_anew)
        self._make_worker = make_worker
        self._random = random or Random()  # noqa: S311 - spreads calls over versions, guards nothing
        self._faults = InvocationFaults(faults or Faults(), time.sleep)
        self._pools: dict[str, WorkerPool] = {}
        self._pools_lock = threading.Lock()
        self._closed = False
        self._events = AsynchronousInvocations(
            clock, self._run_event, on_asynchronous_failure or _log_failure, background_events
        )

    def invoke(
        self,
        name_or_arn: str,
        payload: bytes,
        qualifier: str | None = None,
        invocation_type: InvocationType = "RequestResponse",
    ) -> InvocationResult:
        """Run a function and return its result; Event and DryRun return an empty one. Raises InvokeError."""
        reference = FunctionReference.parse(name_or_arn, qualifier)
        function = self._choose(reference)
        if invocation_type == "DryRun":
            return InvocationResult(b"", None, function.version)
        payload = _checked_payload(payload, invocation_type)
        event = QueuedEvent(reference, str(uuid.uuid4()), payload, function.asynchronous, accepted=self._clock.now())
        if invocation_type == "Event":
            self._faults.accept(function.name, partial(self._events.accept, event))
            return InvocationResult(b"", None, function.version)
        return self._faults.invoke(
            function.name,
            lambda kill_after=None: self._run(function, event, kill_after),
            lambda delay: self._events.accept(replace(event, policy=_ONCE), delay),
        )

    def warm(self, names: Iterable[str]) -> None:
        """Unpack and start one worker per function, each once the one before it has initialized or had the time to."""
        for name in names:
            function = self._choose(FunctionReference.parse(name))
            self._pool(function).warm(function, INIT_SECONDS)

    def kill(self, name_or_arn: str) -> bool:
        """SIGKILL the worker that has been in a call of this function longest; return whether there was one."""
        function = self._choose(FunctionReference.parse(name_or_arn))
        return self._pool(function).kill_busy()

    def last_log_lines(self, name: str, count: int = 100) -> list[str]:
        """Return the last lines of a function's log, none when it never ran."""
        return self._logs.last_lines(name, count)

    def deliver_due_events(self) -> float | None:
        """Run the Event invocations that are due by the clock; return when the next one will be, in epoch seconds."""
        return self._events.deliver_due()

    def close(self) -> None:
        """Kill every worker and return when all are gone; calls in progress end as Runtime.ExitError."""
        self._events.close()
        with self._pools_lock:
            self._closed = True
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()
        self._templates.close()
        self._logs.close()

    def _choose(self, reference: FunctionReference) -> DeployedFunction:
        routed = self._functions.resolve(reference)
        if len(routed) == 1:
            return routed[0].function
        return self._random.choices(routed, [version.share for version in routed])[0].function

    def _run_event(self, event: QueuedEvent) -> tuple[bytes, bool]:
        result = self._run(self._choose(event.reference), event)
        return result.payload, result.function_error is not None

    def _run(
        self, function: DeployedFunction, queued: QueuedEvent, kill_after: float | None = None
    ) -> InvocationResult:
        qualifier = queued.reference.qualifier
        arn = f"{function.arn}:{qualifier}" if qualifier else function.arn
        log = InvocationLog(self._logs.of(function.name))
        pool = self._pool(function)
        while True:
            worker = pool.acquire(function)
            deadline = time.time() + function.timeout
            event = Event(queued.request_id, arn, deadline, queued.payload, _trace_id(TRACE_DAEMON in self._overrides))
            try:
                with _killing(worker, kill_after):
                    outcome = worker.call(event, log)
                return InvocationResult(outcome.payload, outcome.function_error, function.version, log.tail)
            except WorkerGone:
                _log.debug("a worker of %s went away between calls", function.name)
            finally:
                pool.release(worker)

    def _pool(self, function: DeployedFunction) -> WorkerPool:
        with self._pools_lock:
            if self._closed:
                raise RuntimeError("the Lambda runtime is closed")
            if function.arn not in self._pools:
                self._pools[function.arn] = WorkerPool(self._start_worker, self._max_workers)
            return self._pools[function.arn]

    def _start_worker(self, function: DeployedFunction) -> Worker:
        if not function.runtime.startswith("python"):
            raise InvalidRuntime(f"The runtime {function.runtime} of {function.name} is not available on this machine.")
        task_root = self._archives.unpacked(function.code)
        layers = [self._archives.unpacked(layer) for layer in function.layers]
        environment = worker_environment(function, task_root, layers, self._runtime_packages, self._overrides)
        beginning = Beginning(
            str(self._runtime_packages),
            str(task_root),
            environment["PYTHONPATH"],
            function.handler.rpartition(".")[0].replace("/", "."),
            self._niceness(function.name),
        )

        def start(address: str) -> WorkerProcess:
            return self._templates.fork(function.name, beginning, {**environment, "AWS_LAMBDA_RUNTIME_API": address})

        return self._make_worker(function, start)


@contextlib.contextmanager
def _killing(worker: Worker, after: float | None) -> Iterator[None]:
    """Kill `worker` so many seconds from now, if it is still in this block then."""
    if after is None:
        yield
        return
    timer = threading.Timer(after, worker.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _checked_payload(payload: bytes, invocation_type: InvocationType) -> bytes:
    limit = MAX_REQUEST_BYTES[invocation_type]
    if len(payload) > limit:
        raise RequestTooLarge(f"Request must be smaller than {limit} bytes for the InvokeFunction operation")
    try:
        json.loads(payload or b"{}")
    except ValueError as error:
        raise InvalidRequestContent(f"Could not parse request body into json: {error}") from None
    return payload or b"{}"


def _trace_id(sampled: bool) -> str:
    """Return a trace that is recorded only where somebody outside was named to take what functions record of it."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled={int(sampled)}"


def _log_failure(failure: AsynchronousFailure) -> None:
    _log.warning("event %s for %s: %s", failure.event.request_id, failure.event.reference.name, failure.condition)
