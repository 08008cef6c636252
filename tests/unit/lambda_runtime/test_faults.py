"""The fault model at a Lambda invocation: what the caller sees, and what took effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from local.clock import VirtualClock
from local.lambda_runtime.errors import ServiceError, TooManyRequests
from local.lambda_runtime.runtime import LambdaRuntime
from local.simulators.faults import Fault, FaultKind, Faults
from tests.unit.lambda_runtime.deployments import DeploymentsInMemory


class Scene:
    """A function that leaves a line per run, on a runtime whose faults and clock the test holds."""

    def __init__(self, runtime: LambdaRuntime, faults: Faults, clock: VirtualClock, runs: Path) -> None:
        self.runtime, self.faults, self.clock, self._runs = runtime, faults, clock, runs

    def arm(self, fault: FaultKind, delay: float = 0) -> None:
        self.faults.arm([Fault(operation="nap", fault=fault, delay=delay)])

    def invoke(self, seconds: float = 0) -> Any:
        event = json.dumps({"seconds": seconds, "started": str(self._runs)}).encode()
        return self.runtime.invoke("nap", event)

    def invoke_later(self) -> None:
        event = json.dumps({"seconds": 0, "started": str(self._runs)}).encode()
        self.runtime.invoke("nap", event, invocation_type="Event")

    @property
    def runs(self) -> int:
        return len(self._runs.read_text().split()) if self._runs.exists() else 0


@pytest.fixture
def scene(start_runtime: Callable[..., LambdaRuntime], deployments: DeploymentsInMemory, tmp_path: Path) -> Scene:
    deployments.deploy("nap", "app.nap", timeout=30)
    clock, faults = VirtualClock(), Faults()
    runtime = start_runtime(clock=clock, faults=faults, background_events=False)
    return Scene(runtime, faults, clock, tmp_path / "runs")


@pytest.mark.parametrize(
    ("kind", "error"),
    [(FaultKind.REFUSE, ServiceError), (FaultKind.ERROR, ServiceError), (FaultKind.THROTTLE, TooManyRequests)],
)
def test_a_refused_call_has_no_effect_and_the_next_one_is_untouched(
    scene: Scene, kind: FaultKind, error: type[Exception]
) -> None:
    scene.arm(kind)
    with pytest.raises(error):
        scene.invoke()
    assert scene.runs == 0
    assert scene.invoke().function_error is None


def test_a_lost_reply_comes_after_the_effect(scene: Scene) -> None:
    scene.arm(FaultKind.LOST)
    with pytest.raises(ServiceError):
        scene.invoke()
    assert scene.runs == 1


def test_a_late_call_takes_effect_after_the_caller_gave_up(scene: Scene) -> None:
    scene.arm(FaultKind.LATE, delay=90)
    with pytest.raises(ServiceError):
        scene.invoke()
    scene.clock.advance(89)
    scene.runtime.deliver_due_events()
    assert scene.runs == 0
    scene.clock.advance(1)
    assert scene.runtime.deliver_due_events() is None
    assert scene.runs == 1


def test_a_call_delivered_twice_takes_effect_twice_and_answers_once(scene: Scene) -> None:
    scene.arm(FaultKind.TWICE)
    assert scene.invoke().function_error is None
    assert scene.runs == 2


def test_a_slow_call_still_answers(scene: Scene) -> None:
    scene.arm(FaultKind.SLOW, delay=0.01)
    assert scene.invoke().function_error is None


def test_a_failed_call_loses_its_worker_in_the_middle(scene: Scene) -> None:
    scene.invoke()
    scene.arm(FaultKind.FAIL, delay=0.2)
    result = scene.invoke(seconds=20)
    assert json.loads(result.payload)["errorType"] == "Runtime.ExitError"
    assert scene.runs == 2
    assert scene.invoke().function_error is None


def test_a_fault_for_another_function_waits_for_it(scene: Scene) -> None:
    scene.faults.arm([Fault(operation="other", fault=FaultKind.REFUSE)])
    assert scene.invoke().function_error is None


def test_a_fault_of_clouds_only_is_refused(scene: Scene) -> None:
    scene.arm(FaultKind.CAPACITY)
    with pytest.raises(ValueError, match="capacity means nothing"):
        scene.invoke()


@pytest.mark.parametrize(
    ("kind", "error", "at"),
    [
        (None, None, [0]),
        (FaultKind.LATE, None, [30]),
        (FaultKind.TWICE, None, [0, 30]),
        (FaultKind.LOST, ServiceError, [0]),
        (FaultKind.REFUSE, ServiceError, []),
        (FaultKind.THROTTLE, TooManyRequests, []),
    ],
)
def test_an_event_runs_late_or_twice_or_although_it_was_refused(
    scene: Scene, kind: FaultKind | None, error: type[Exception] | None, at: list[float]
) -> None:
    if kind is not None:
        scene.arm(kind, delay=30)
    began, runs = scene.clock.now(), list[float]()
    with pytest.raises(error) if error else nullcontext():
        scene.invoke_later()
    due: float | None = began
    while due is not None:
        scene.clock.advance_to(due)
        before = scene.runs
        due = scene.runtime.deliver_due_events()
        runs += [scene.clock.now() - began] * (scene.runs - before)
    assert runs == at
