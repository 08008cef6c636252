"""Distributed Map: a map run whose items are child executions, with batches, tolerated failures, reader and writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from weakref import WeakValueDictionary

from local.stepfunctions.asl.program import MapSpec, Program, Resource
from local.stepfunctions.errors import StateFailure
from local.stepfunctions.identity import draw_uuid
from local.stepfunctions.jsontext import Json, dumps, loads
from local.stepfunctions.runtime.batches import make_batches
from local.stepfunctions.runtime.execution import Attempt, Branch, Execution, Origin
from local.stepfunctions.runtime.host import Outcome, TaskRequest

if TYPE_CHECKING:
    from local.stepfunctions.runtime.interpreter import Interpreter

READER = Resource("arn:aws:states:::s3:getObject", "map-reader", "getObject", "")
WRITER = Resource("arn:aws:states:::s3:putObject", "map-writer", "putObject", "")
DEFAULT_CONCURRENCY = 1000
THRESHOLD = "The specified tolerated failure threshold was exceeded"


class MapRun:
    """One run of a Distributed Map: its items, its children and how many may fail."""

    def __init__(self, arn: str, owner: Branch, spec: MapSpec, started: float) -> None:
        self.arn = arn
        self.owner = owner
        self.spec = spec
        self.status = "RUNNING"
        self.started = started
        self.stopped: float | None = None
        self.max_concurrency = 0
        self.tolerated_count = 0
        self.tolerated_percentage = 0.0
        self.inputs: list[str] = []
        self.item_counts: list[int] = []
        self.total_items = 0
        self.failed_items = 0
        self.next_index = 0
        self.running: dict[int, Execution] = {}
        self.ended: dict[int, Execution] = {}
        self.redrives = 0
        self.attempt: Attempt | None = None

    def count(self, status: str) -> int:
        """How many children have ended with `status`."""
        return sum(child.status == status for child in self.ended.values())

    def take_in(self, child: Execution) -> None:
        """A child has ended: its items have failed unless it succeeded."""
        index = child.map_index
        del self.running[index]
        self.ended[index] = child
        if child.status != "SUCCEEDED":
            self.failed_items += self.item_counts[index]

    @property
    def tolerated(self) -> bool:
        """Whether what has failed so far is within the tolerated count and percentage."""
        failed = self.failed_items
        if failed == 0 or (self.tolerated_count and failed <= self.tolerated_count):
            return True
        share = 100 * failed / max(1, self.total_items)
        return bool(self.tolerated_percentage) and share <= self.tolerated_percentage


class MapRuns:
    """Begins map runs and takes in what becomes of their children."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._host = interpreter.host
        self.by_arn: WeakValueDictionary[str, MapRun] = WeakValueDictionary()

    def begin(self, branch: Branch, spec: MapSpec) -> None:
        """Record the run's start; the items are at hand or have to be read first."""
        environment = branch.environment
        items = spec.items(branch.selected, environment) if spec.reader is None else []
        self._interpreter.record(branch, "MapStateStarted", {"length": len(items)})
        run = MapRun(self._arn(branch, spec), branch, spec, self._host.moment)
        run.max_concurrency = int(spec.max_concurrency(branch.selected, environment))
        if spec.tolerated_count is not None:
            run.tolerated_count = int(spec.tolerated_count(branch.selected, environment))
        if spec.tolerated_percentage is not None:
            run.tolerated_percentage = spec.tolerated_percentage(branch.selected, environment)
        branch.inner = run
        branch.execution.map_runs.append(run)
        self.by_arn[run.arn] = run
        self._interpreter.record(branch, "MapRunStarted", {"mapRunArn": run.arn})
        if spec.reader is None:
            self._run(run, items)
            return
        parameters = {
            "Arguments": spec.reader.arguments(branch.selected, environment),
            "Action": spec.reader.action,
            "ReaderConfig": spec.reader.settings,
            "MaxItems": int(spec.reader.max_items(branch.selected, environment)) if spec.reader.max_items else 0,
        }
        if parameters["MaxItems"] < 0:
            self._fail(run, StateFailure("States.ItemReaderFailed", "field MaxItems must be positive"))
            return
        self._call(run, READER, parameters)

    def _arn(self, branch: Branch, spec: MapSpec) -> str:
        execution = branch.execution
        run_id = draw_uuid(execution.random)
        machine = execution.origin.machine_name.split("/")[0]
        label = spec.label or draw_uuid(execution.random).replace("-", "")
        return f"arn:aws:states:{self._host.region}:{self._host.account}:mapRun:{machine}/{label}:{run_id}"

    def _call(self, run: MapRun, resource: Resource, parameters: dict[str, Json]) -> None:
        execution = run.owner.execution
        execution.attempts_made += 1
        attempt = Attempt(run.owner, execution.attempts_made)
        execution.attempts[attempt.number] = attempt
        run.attempt = attempt
        name = run.owner.state.name
        self._host.submit(TaskRequest(execution.arn, attempt.number, name, resource, parameters, None))

    def called(self, run: MapRun, attempt: Attempt, outcome: Outcome) -> None:
        """The reader has read or the writer has written."""
        if run.attempt is not attempt or run.status != "RUNNING":
            return
        run.attempt = None
        run.owner.execution.attempts.pop(attempt.number, None)
        if outcome.kind == "failed":
            self._fail(run, StateFailure(outcome.error, outcome.cause))
        elif not run.inputs and not run.ended:
            self._interpreter.guard(run.owner, lambda _: self._run(run, loads(outcome.output or "[]")))
        else:
            self._succeed(run, loads(outcome.output or "null"))

    def _run(self, run: MapRun, items: list[Json]) -> None:
        owner, spec = run.owner, run.spec
        values = [
            self._interpreter.joins.item_input(owner, spec, {"Index": index, "Value": item})
            for index, item in enumerate(items)
        ]
        if spec.batcher is not None:
            environment = owner.environment
            batches = make_batches(values, spec.batcher, owner.selected, environment)
            run.item_counts = [len(batch["Items"]) for batch in batches]
            values = batches
        else:
            run.item_counts = [1] * len(values)
        run.total_items = sum(run.item_counts)
        run.inputs = [dumps(value) for value in values]
        if not run.inputs:
            self._write_or_finish(run)
        self.fill(run)

    def fill(self, run: MapRun) -> None:
        """Start children as far as the run's concurrency allows."""
        while run.status == "RUNNING" and self._may_start(run):
            self._start_child(run)

    def _may_start(self, run: MapRun) -> bool:
        return run.next_index < len(run.inputs) and len(run.running) < (run.max_concurrency or DEFAULT_CONCURRENCY)

    def _start_child(self, run: MapRun) -> None:
        parent, index = run.owner.execution, run.next_index
        run.next_index += 1
        label = run.arn.split(":mapRun:")[1].split(":")[0]
        name = draw_uuid(parent.random)
        kind = "express" if run.spec.express else "execution"
        origin = parent.origin
        child = Execution(
            arn=f"arn:aws:states:{self._host.region}:{self._host.account}:{kind}:{label}:{name}",
            name=name,
            origin=Origin(
                machine_arn=f"{origin.machine_arn.split('/')[0]}/{label.split('/', 1)[1]}",
                machine_name=label,
                definition=origin.definition,
                role_arn=origin.role_arn,
                express=run.spec.express,
                revision=origin.revision,
                program=Program(run.spec.processor, None),
            ),
            input_text=run.inputs[index],
            started=self._host.moment,
            randomness=parent.randomness,
            map_run=run,
            map_index=index,
            mock_case=parent.mock_case,
        )
        run.running[index] = child
        self._host.start_child(child)

    def child_ended(self, child: Execution) -> None:
        """A child execution has ended, well or not."""
        run = cast("MapRun", child.map_run)
        if run.status != "RUNNING":
            return
        run.take_in(child)
        if not run.tolerated:
            self._fail(run, StateFailure("States.ExceedToleratedFailureThreshold", THRESHOLD))
            return
        if self._may_start(run):
            self._start_child(run)
        elif not run.running and run.next_index == len(run.inputs):
            self._interpreter.guard(run.owner, lambda _: self._write_or_finish(run))

    def _write_or_finish(self, run: MapRun) -> None:
        writer = run.spec.writer
        if writer is None or writer.arguments is None:
            self._succeed(run, self._outputs(run))
            return
        environment = run.owner.environment
        destination = writer.arguments(run.owner.selected, environment)
        results = [_description(run.ended[index]) for index in range(len(run.inputs))]
        parameters = {
            "MapRunArn": run.arn,
            "Arguments": destination,
            "WriterConfig": writer.settings,
            "Results": results,
        }
        self._call(run, WRITER, parameters)

    def _outputs(self, run: MapRun) -> list[Json]:
        succeeded = [run.ended[index] for index in range(len(run.inputs)) if run.ended[index].status == "SUCCEEDED"]
        return [loads(child.output_text or "null") for child in succeeded]

    def _succeed(self, run: MapRun, result: Json) -> None:
        owner = run.owner
        run.status, run.stopped = "SUCCEEDED", self._host.moment
        succeeded = self._interpreter.note(owner, "MapRunSucceeded")
        owner.execution.history.append("MapStateSucceeded", succeeded, self._host.moment)
        owner.inner = None
        self._interpreter.complete(owner, result)

    def _fail(self, run: MapRun, failure: StateFailure) -> None:
        self.close(run, failure)
        self._interpreter.fail(run.owner, failure)

    def close(self, run: MapRun, failure: StateFailure) -> None:
        """End a run that has failed, with the children that still run."""
        run.status, run.stopped = "FAILED", self._host.moment
        self._stop_children(run)
        details = {"cause": failure.cause, "error": failure.error}
        self._interpreter.record(run.owner, "MapRunFailed", details)
        run.owner.inner, run.owner.unfinished = None, run

    def abort(self, run: MapRun) -> None:
        """The run is cut short with its owner."""
        if run.status != "RUNNING":
            return
        run.status, run.stopped = "ABORTED", self._host.moment
        self._interpreter.note(run.owner, "MapRunAborted")
        self._stop_children(run)

    def _stop_children(self, run: MapRun) -> None:
        for child in list(run.running.values()):
            self._interpreter.endings.abort(child, None, None)
            run.take_in(child)


def _description(child: Execution) -> dict[str, Json]:
    described: dict[str, Json] = {
        "ExecutionArn": child.arn,
        "Input": child.input_text,
        "InputDetails": {"Included": True},
        "Name": child.name,
        "StartDate": child.started,
        "StateMachineArn": child.origin.machine_arn,
        "Status": child.status,
        "StopDate": child.stopped,
    }
    if child.output_text is not None:
        described.update(Output=child.output_text, OutputDetails={"Included": True})
    if child.error is not None or child.cause is not None:
        described.update(Error=child.error, Cause=child.cause)
    return described
