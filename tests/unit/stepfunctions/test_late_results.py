"""What comes in for a task that is over already changes nothing."""

import pytest

from local.clock import VirtualClock
from local.stepfunctions import Engine
from local.stepfunctions.runtime.host import Outcome, TaskRequest
from tests.unit.stepfunctions.machines import chain, task


class SlowFunctions:
    """An engine whose functions answer when the test says so."""

    def __init__(self) -> None:
        self.asked: list[TaskRequest] = []
        self.engine = Engine(clock=VirtualClock())
        self.engine.core.dispatch = self.asked.append

    def start(self, **states: dict[str, object]) -> str:
        return self.engine.start_execution(self.engine.create_state_machine("m", chain(**states)))

    def answer(self, number: int, output: str) -> None:
        self.engine.core.report(self.asked[number], Outcome("succeeded", output=output))


@pytest.fixture
def functions() -> SlowFunctions:
    return SlowFunctions()


def test_a_result_after_the_time_limit_is_dropped_and_the_retrys_counts(functions: SlowFunctions) -> None:
    retry = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1}]
    arn = functions.start(T=task("f", TimeoutSeconds=5, Retry=retry))
    functions.engine.advance(6)
    functions.answer(0, '"late"')
    assert functions.engine.execution(arn).running
    functions.answer(1, '"in time"')
    assert functions.engine.execution(arn).output_text == '"in time"'


def test_a_result_after_the_execution_was_stopped_is_dropped(functions: SlowFunctions) -> None:
    arn = functions.start(T=task("f", TimeoutSeconds=50))
    functions.engine.api.call("StopExecution", {"executionArn": arn})
    events = len(functions.engine.history(arn))
    functions.answer(0, "1")
    assert (functions.engine.execution(arn).status, len(functions.engine.history(arn))) == ("ABORTED", events)
    assert functions.engine.core.scheduler.next_moment() is None


def test_a_siblings_failure_drops_the_results_of_tasks_under_way_in_nested_branches(functions: SlowFunctions) -> None:
    inner = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": chain(T=task("slow"))}
    nested = {
        "Type": "Parallel",
        "Branches": [chain(M=inner), chain(B=task("bad"))],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Rest"}],
        "Next": "Rest",
    }
    machine = {"StartAt": "P", "States": {"P": nested, "Rest": {"Type": "Wait", "Seconds": 9, "End": True}}}
    engine = functions.engine
    arn = engine.start_execution(engine.create_state_machine("m", machine), {"items": [1, 2]})
    (bad,) = (request for request in functions.asked if request.state_name == "B")
    engine.core.report(bad, Outcome("failed", error="E"))
    for number, request in enumerate(functions.asked):
        if request is not bad:
            functions.answer(number, "1")
    engine.run()
    entered = [event["stateEnteredEventDetails"]["name"] for event in engine.history(arn) if "Entered" in event["type"]]
    assert (entered[-1], engine.execution(arn).status, engine.core.pending) == ("Rest", "SUCCEEDED", {})


def test_a_fault_of_the_engines_own_in_one_execution_leaves_the_others_alone(functions: SlowFunctions) -> None:
    done: list[str] = []

    def broken() -> None:
        raise ZeroDivisionError

    def both(record: object) -> None:
        functions.engine.core.soon(broken)
        functions.engine.core.soon(lambda: done.append("other"))

    functions.engine.core.operations["both"] = both
    with pytest.raises(ZeroDivisionError):
        functions.engine.core.apply("both")
    functions.start(P={"Type": "Pass"})
    assert done == ["other"]
