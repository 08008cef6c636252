"""What holds for every machine, whatever it is made of and in whatever order its parts take their turns."""

import itertools
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.clock import VirtualClock
from local.stepfunctions import Engine, LambdaResult
from tests.unit.stepfunctions.machines import chain, task

pytestmark = pytest.mark.usefixtures("dead_engines_buried")

Definition = dict[str, Any]
RETRY = st.sampled_from([[], [{"ErrorEquals": ["E"], "MaxAttempts": 1}], [{"ErrorEquals": ["States.ALL"]}]])
TIMEOUT = st.sampled_from([{}, {"TimeoutSeconds": 3}])


def leaves() -> st.SearchStrategy[list[Definition]]:
    simple = st.one_of(
        st.just({"Type": "Pass"}),
        st.integers(0, 5).map(lambda seconds: {"Type": "Wait", "Seconds": seconds}),
        st.builds(lambda retry, limit: task("f", Retry=retry, **limit), RETRY, TIMEOUT),
        st.just(
            {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                "Parameters": {"FunctionName": "f"},
                "HeartbeatSeconds": 2,
            }
        ),
    )
    fails = st.sampled_from([[], [], [{"Type": "Fail", "Error": "E"}]])
    return st.builds(lambda states, end: states + end, st.lists(simple, min_size=1, max_size=3), fails)


def around(inner: st.SearchStrategy[list[Definition]]) -> st.SearchStrategy[list[Definition]]:
    parallel = st.builds(
        lambda branches, retry: {"branches": branches, "retry": retry}, st.lists(inner, min_size=1, max_size=3), RETRY
    )
    mapped = st.builds(
        lambda states, limit, mode: {"map": states, "limit": limit, "mode": mode},
        inner,
        st.integers(0, 2),
        st.sampled_from(["INLINE", "DISTRIBUTED"]),
    )
    return st.lists(st.one_of(parallel, mapped), min_size=1, max_size=2)


SHAPES = st.recursive(leaves(), around, max_leaves=6)


def build(shape: list[Definition], names: Callable[[], str]) -> Definition:
    """A machine of a shape, every state with a name of its own; a failed Parallel or Map goes on at the next state."""
    states = {names(): _state(part, names) for part in shape}
    for state, following in itertools.pairwise(states):
        if states[state]["Type"] in ("Parallel", "Map"):
            states[state]["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": following}]
    return chain(**states)


def _state(part: Definition, names: Callable[[], str]) -> Definition:
    if "Type" in part:
        return part
    if "branches" in part:
        branches = [build(branch, names) for branch in part["branches"]]
        return {"Type": "Parallel", "Branches": branches, "Retry": part["retry"]}
    config = {"Mode": part["mode"], **({"ExecutionType": "STANDARD"} if part["mode"] == "DISTRIBUTED" else {})}
    processor = {"ProcessorConfig": config, **build(part["map"], names)}
    items = {"Type": "Map", "ItemsPath": "$$.Execution.Input.items", "MaxConcurrency": part["limit"]}
    return {**items, "ItemProcessor": processor}


def machine(shape: list[Definition]) -> Definition:
    numbers = itertools.count()
    return {**build(shape, lambda: f"S{next(numbers)}"), "TimeoutSeconds": 500}


def functions() -> Callable[[str, bytes], LambdaResult]:
    calls = itertools.count(1)

    def answer(name: str, payload: bytes) -> LambdaResult:
        failing = next(calls) % 3 == 0
        return LambdaResult(b'{"errorType": "E"}', "Unhandled") if failing else LambdaResult(b"{}")

    return answer


def played(definition: Definition, seed: int, data: Path | None = None) -> tuple[Engine, str]:
    engine = Engine(clock=VirtualClock(), seed=seed, lambda_invoke=functions(), data=data)
    arn = engine.start_execution(engine.create_state_machine("m", definition), {"items": [1, 2, 3]}, "one")
    engine.run()
    return engine, arn


relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@relaxed
@given(SHAPES, st.integers(0, 3))
def test_every_execution_ends_and_leaves_nothing_behind(shape: list[Definition], seed: int) -> None:
    definition = machine(shape)
    engine, arn = played(definition, seed)
    for execution in engine.core.executions:
        events = execution.history.events
        assert not execution.running
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert all(event.previous < event.id for event in events)
        assert events[-1].type == f"Execution{execution.status.title().replace('_', '')}"
        assert sum(event.type.startswith("Execution") for event in events) == 2
        assert (execution.timers, execution.attempts) == ({}, {})
    assert engine.core.tokens.outstanding() == []
    assert engine.core.pending == {}
    assert engine.core.scheduler.next_moment() is None
    assert engine.execution(arn).stopped is not None


@relaxed
@given(SHAPES, st.integers(0, 3))
def test_a_journal_replayed_is_the_same_history(shape: list[Definition], seed: int) -> None:
    definition = machine(shape)
    with TemporaryDirectory() as directory:
        engine, arn = played(definition, seed, Path(directory))
        resumed = Engine(clock=VirtualClock(), seed=seed, data=Path(directory))
        resumed.run()
        assert resumed.history(arn) == engine.history(arn)


@relaxed
@given(SHAPES, st.integers(0, 3))
def test_a_redriven_execution_ends_again_and_repeats_nothing_that_succeeded(shape: list[Definition], seed: int) -> None:
    engine, arn = played(machine(shape), seed)
    before = engine.execution(arn)
    if before.status == "SUCCEEDED":
        return
    left = [
        event.details["name"] for event in before.history.events if event.type.endswith("StateExited") and event.details
    ]
    length = len(before.history.events)
    engine.api.call("RedriveExecution", {"executionArn": arn})
    engine.run()
    after = engine.execution(arn)
    assert not after.running
    assert (after.timers, after.attempts, engine.core.pending) == ({}, {}, {})
    assert after.history.events[length].type == "ExecutionRedriven"
    top = set(machine(shape)["States"])
    entered = [
        event.details["name"]
        for event in after.history.events[length:]
        if event.type.endswith("StateEntered") and event.details
    ]
    assert not {name for name in entered if name in top and name in left}
