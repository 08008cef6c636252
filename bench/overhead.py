"""What orchestration adds to a step on the local engine, and the floor: the same calls with no orchestration at all.

A step is a Task that calls a function which does nothing, by its ARN. The floor is that call: the handler itself, and
the handler in a warm Lambda worker (AWS's runtime client in a process of its own), as local mode calls it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from bench.figure import Figure, limited, plain
from bench.peers.definition import CLOUDS, FUNCTIONS, definition
from bench.peers.programs import activities
from local.clock import WallClock
from local.lambda_runtime.errors import FunctionNotFound
from local.lambda_runtime.functions import CodeArchive, DeployedFunction, RoutedVersion
from local.lambda_runtime.reference import LATEST, FunctionReference
from local.lambda_runtime.runtime import LambdaRuntime
from local.stepfunctions import Engine, LambdaResult

STEPS = 100
RUNS = 8
SAGAS = 40
LIMIT_MS = 5.0
NAMES = ("record_intent", "create", "describe", "commit", "delete", "abort")
Call = Callable[[str, bytes], bytes]


def handler_code() -> str:
    """A module with a handler for every activity."""
    handlers = "".join(f"def {name}_handler(event, context):\n    return {name}(**event)\n\n\n" for name in NAMES)
    return f"{Path(activities.__file__).read_text()}\n\n{handlers}"


class Activities:
    """The activities as deployed functions."""

    def __init__(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", handler_code())
        data = packed.getvalue()
        self._code = CodeArchive(hashlib.sha256(data).hexdigest(), lambda: data)

    def resolve(self, reference: FunctionReference) -> Sequence[RoutedVersion]:
        """The one version of a function; raises FunctionNotFound."""
        if reference.name not in NAMES:
            raise FunctionNotFound(f"Function not found: {reference.name}")
        function = DeployedFunction(
            arn=f"{FUNCTIONS}{reference.name}",
            version=LATEST,
            handler=f"app.{reference.name}_handler",
            runtime="python3.11",
            timeout=10,
            memory=128,
            code=self._code,
        )
        return [RoutedVersion(function, 1.0)]


def direct(function: str, payload: bytes) -> bytes:
    """Call a handler in this process, with the JSON around it that a call has."""
    answer = getattr(activities, function.rsplit(":", 1)[1])(**json.loads(payload))
    return json.dumps(answer).encode()


@contextmanager
def workers() -> Iterator[Call]:
    """Call handlers in warm Lambda workers."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        place = Path(directory)
        runtime = LambdaRuntime(Activities(), WallClock(), place / "cache", place / "logs", {})

        def call(function: str, payload: bytes) -> bytes:
            result = runtime.invoke(function, payload)
            if result.function_error:
                raise RuntimeError(result.payload.decode())
            return result.payload

        try:
            for _ in range(5):  # the first call of each is a cold start
                call(f"{FUNCTIONS}commit", b'{"saga":"s"}')
            yield call
        finally:
            runtime.close()


def row(length: int) -> dict[str, Any]:
    """So many commits one after the other."""
    task = {
        "Type": "Task",
        "Resource": f"{FUNCTIONS}commit",
        "Parameters": {"saga.$": "$.saga"},
        "ResultPath": "$.done",
    }
    states: dict[str, Any] = {f"S{number}": {**task, "Next": f"S{number + 1}"} for number in range(length)}
    return {"StartAt": "S0", "States": {**states, f"S{length}": {"Type": "Succeed"}}}


def floor(call: Call) -> list[float]:
    """Milliseconds of each of a row of calls with no orchestration."""
    took = []
    for number in range(STEPS * RUNS):
        payload = json.dumps({"saga": f"s{number}"}).encode()
        began = time.perf_counter()
        call(f"{FUNCTIONS}commit", payload)
        took.append(1000 * (time.perf_counter() - began))
    return took


@contextmanager
def engine(call: Call, directory: Path | None, sync: bool = False) -> Iterator[Engine]:
    """An engine in real time whose functions are called by `call`."""
    running = Engine(lambda_invoke=lambda name, payload: LambdaResult(call(name, payload)), data=directory, sync=sync)
    try:
        yield running
    finally:
        running.close()


def steps(running: Engine) -> list[float]:
    """Milliseconds from one state's entry to the next one's, over a row of tasks."""
    machine = running.create_state_machine("row", row(STEPS))
    took: list[float] = []
    for number in range(RUNS):
        arn = running.start_execution(machine, {"saga": f"s{number}"})
        execution = running.await_end(arn, 60)
        if execution.status != "SUCCEEDED":
            raise RuntimeError(f"{arn} is {execution.status}: {execution.cause}")
        entered = [event.timestamp for event in execution.history.events if event.type == "TaskStateEntered"]
        took += [1000 * (later - earlier) for earlier, later in pairwise(entered)]
    return took


def calls_of_a_saga(call: Call, saga: str) -> None:
    """The activities of a saga that commits, one after the other, with no orchestration."""

    def ask(function: str, **arguments: Any) -> Any:
        return json.loads(call(f"{FUNCTIONS}{function}", json.dumps(arguments).encode()))

    for cloud in CLOUDS:
        ask("record_intent", saga=saga, cloud=cloud)
        created = ask("create", saga=saga, cloud=cloud, fail="")
        answer = {"ready": False, "n": 0}
        while not answer["ready"]:
            answer = ask("describe", cloud=cloud, id=created["id"], n=answer["n"])
    ask("commit", saga=saga)


def sagas(run: Callable[[str], object]) -> float:
    """Median milliseconds of one saga at a time, after a few that are not counted."""
    took = []
    for number in range(SAGAS):
        began = time.perf_counter()
        run(f"s{number}")
        took.append(1000 * (time.perf_counter() - began))
    return median(took[5:])


def orchestrated(running: Engine) -> Callable[[str], object]:
    """Run a saga on the engine."""
    machine = running.create_state_machine("saga", definition())

    def run(saga: str) -> None:
        execution = running.await_end(running.start_execution(machine, {"saga": saga, "fail": ""}, saga), 60)
        if execution.status != "SUCCEEDED":
            raise RuntimeError(f"{saga} is {execution.status}: {execution.cause}")

    return run


def of_steps(call: Call, place: Path) -> list[Figure]:
    """A step through a Lambda worker, and what of it is orchestration."""
    bare = median(floor(call))
    how = f"median of {STEPS * RUNS}, a no-op by its function's ARN through a warm Lambda worker, one after the other"
    found = [plain("overhead, floor: a call in a Lambda worker", bare, "ms", f"{how}, no engine", 3)]
    for name, sync in (("journal", False), ("journal synced to the disk", True)):
        with engine(call, place / f"steps-{sync}", sync) as running:
            step = median(steps(running))
        what = f"{how}; from a state's entry to the next one's, {name}"
        found += [
            limited(f"overhead: a step, {name}, round trip to its worker included", step, "ms", LIMIT_MS, what),
            plain(f"overhead: of a step, {name}, more than the floor", step - bare, "ms", what, 3),
        ]
    return found


def of_sagas(name: str, call: Call, place: Path) -> list[Figure]:
    """A whole saga beside its calls alone."""
    how = f"median of {SAGAS - 5}, 13 calls {name}"
    with engine(call, place) as running:
        saga = sagas(orchestrated(running))
    bare = sagas(lambda saga: calls_of_a_saga(call, saga))
    return [
        plain(f"overhead, floor: a saga's calls {name}", bare, "ms", f"{how}, one after the other, no engine", 3),
        plain(f"overhead: a saga {name}", saga, "ms", f"{how}, clouds at the same time, journal", 3),
    ]


def figures() -> list[Figure]:
    """Every figure with its goal."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory, workers() as call:
        place = Path(directory)
        return [
            plain("overhead, floor: a call in this process", median(floor(direct)), "ms", "its JSON included", 4),
            *of_steps(call, place),
            *of_sagas("in this process", direct, place / "direct"),
            *of_sagas("in Lambda workers", call, place / "workers"),
        ]
