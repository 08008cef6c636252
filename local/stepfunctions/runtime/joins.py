"""Parallel and inline Map: branches begin together, come together, and one failure cuts the others short."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from local.stepfunctions.asl.environment import Environment
from local.stepfunctions.asl.program import MapSpec, ParallelSpec
from local.stepfunctions.errors import StateFailure
from local.stepfunctions.jsontext import Json, dumps
from local.stepfunctions.runtime.context import build_context
from local.stepfunctions.runtime.execution import Branch, Join

if TYPE_CHECKING:
    from local.stepfunctions.runtime.interpreter import Interpreter

INLINE_CONCURRENCY = 40


class Joins:
    """Begins and joins branches."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter

    def begin_parallel(self, branch: Branch) -> None:
        """Start every branch with the same input."""
        state, environment = branch.state, branch.environment
        spec = cast("ParallelSpec", state.spec)
        arguments = state.flow.arguments(branch.selected, environment)
        self._interpreter.record(branch, "ParallelStateStarted")
        join = Join(branch, list(spec.branches), len(spec.branches))
        branch.inner = join
        text = dumps(arguments)
        for index, block in enumerate(spec.branches):
            child = Branch(branch.execution, block, join, index, branch.previous)
            child.variables = branch.variables
            child.map_item = branch.map_item
            child.raw = arguments
            join.children[index] = child
            self._interpreter.go(child, block.start_at, arguments, text)

    def begin_map(self, branch: Branch) -> None:
        """Start a Map's first iterations, or its map run."""
        state, environment = branch.state, branch.environment
        spec = cast("MapSpec", state.spec)
        if spec.distributed:
            self._interpreter.map_runs.begin(branch, spec)
            return
        items = spec.items(branch.selected, environment)
        self._interpreter.record(branch, "MapStateStarted", {"length": len(items)})
        limit = int(spec.max_concurrency(branch.selected, environment))
        join = Join(branch, items, min(limit or INLINE_CONCURRENCY, INLINE_CONCURRENCY))
        branch.inner = join
        if not items:
            self._map_done(join)
        self.fill(join, branch.previous)

    def fill(self, join: Join, previous: int) -> None:
        """Start a Map's iterations as far as its concurrency allows; raises Fault where an item cannot be selected."""
        while join.next_index < len(join.items) and len(join.children) < join.concurrency:
            self._start_iteration(join, previous)

    def _start_iteration(self, join: Join, previous: int) -> None:
        owner = join.owner
        state = owner.state
        spec, index = cast("MapSpec", state.spec), join.next_index
        child = Branch(owner.execution, spec.processor, join, index, previous)
        child.variables = owner.variables
        child.map_item = {"Index": index, "Value": join.items[index]}
        self._interpreter.record(child, "MapIterationStarted", {"index": index, "name": state.name})
        value = child.raw = self.item_input(owner, spec, child.map_item)
        join.children[index] = child
        join.next_index += 1
        self._interpreter.go(child, spec.processor.start_at, value, dumps(value))

    def item_input(self, owner: Branch, spec: MapSpec, item: dict[str, Json]) -> Json:
        """What an iteration starts with: the item itself, or what ItemSelector makes of it."""
        if spec.selector is None:
            return item["Value"]
        build = partial(_context_with_item, owner, item)
        return spec.selector(owner.selected, Environment(build, owner.variables, owner.execution.randomness.source))

    def child_done(self, join: Join, child: Branch, output: Json) -> None:
        """A branch or iteration has ended well."""
        owner = join.owner
        del join.children[child.index]
        join.outputs[child.index] = output
        state = owner.state
        if state.type == "Parallel":
            if not join.children:
                owner.previous = child.previous
                self._interpreter.note(owner, "ParallelStateSucceeded")
                self._finish(join)
            return
        ended = self._interpreter.note(child, "MapIterationSucceeded", {"index": child.index, "name": state.name})
        if join.next_index < len(join.items):
            self._interpreter.guard(owner, lambda _: self._start_iteration(join, child.previous))
        elif not join.children:
            owner.previous = ended
            self._map_done(join)

    def _map_done(self, join: Join) -> None:
        self._interpreter.note(join.owner, "MapStateSucceeded")
        self._finish(join)

    def _finish(self, join: Join) -> None:
        join.owner.inner = None
        self._interpreter.complete(join.owner, [join.outputs[index] for index in range(len(join.items))])

    def child_failed(self, join: Join, child: Branch, failure: StateFailure) -> None:
        """A branch or iteration has failed: the others are cut short and the whole state fails."""
        owner = join.owner
        state = owner.state
        if state.type == "Map":
            self._interpreter.note(child, "MapIterationFailed", {"index": child.index, "name": state.name})
        elif child.state.type == "Task":
            self._interpreter.note(child, "TaskStateAborted")
        del join.children[child.index]
        endings = self._interpreter.endings
        endings.release(child)
        endings.abort_inside(owner)
        join.failed.append(child)
        owner.inner, owner.unfinished = None, join
        owner.previous = child.previous
        self._interpreter.fail(owner, failure)


def _context_with_item(owner: Branch, item: dict[str, Json]) -> Json:
    return {**build_context(owner), "Map": {"Item": item}}
