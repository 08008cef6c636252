"""Branches and iterations: how they begin, come together, and end each other."""

from typing import Any

import pytest

from local.stepfunctions.harness import Harness, VirtualTime
from tests.unit.stepfunctions.machines import chain, task


def parallel(*branches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": list(branches), **fields}


def mapped(*, processor: dict[str, Any], mode: str = "INLINE", **fields: Any) -> dict[str, Any]:
    config = {"Mode": mode, **({"ExecutionType": "STANDARD"} if mode == "DISTRIBUTED" else {})}
    return {"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **processor}, **fields}


def test_a_parallels_result_lists_its_branches_in_order_whichever_ends_first(stepfunctions: Harness) -> None:
    slow = chain(W1={"Type": "Wait", "Seconds": 10}, P1={"Type": "Pass", "Result": 1})
    fast = chain(P2={"Type": "Pass", "Result": 2})
    run = stepfunctions.run(chain(P=parallel(slow, fast)))
    assert (run.output, run.seconds) == ([1, 2], 10)


def test_a_failed_branch_cuts_the_others_short_and_fails_the_state(stepfunctions: Harness, clock: VirtualTime) -> None:
    stepfunctions.function("bad", lambda event: 1 / 0)
    forever = chain(W={"Type": "Wait", "Seconds": 10_000})
    run = stepfunctions.start(chain(P=parallel(forever, chain(T=task("bad")))))
    assert (run.status, run.error, run.seconds) == ("FAILED", "ZeroDivisionError", 0)


def test_a_parallel_is_retried_and_caught_as_a_whole(stepfunctions: Harness) -> None:
    stepfunctions.function("bad", lambda event: 1 / 0)
    state = parallel(
        chain(T=task("bad")),
        Retry=[{"ErrorEquals": ["ZeroDivisionError"], "MaxAttempts": 2}],
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}],
        End=True,
    )
    run = stepfunctions.run({"StartAt": "P", "States": {"P": state, "C": {"Type": "Pass", "End": True}}})
    assert (run.status, run.output["Error"], len(stepfunctions.calls)) == ("SUCCEEDED", "ZeroDivisionError", 3)


def test_an_item_selector_sees_the_item_its_index_and_the_states_input(stepfunctions: Harness) -> None:
    selector = {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index", "all.$": "$.k"}
    state = mapped(processor=chain(P={"Type": "Pass"}), ItemsPath="$.items", ItemSelector=selector)
    run = stepfunctions.run(chain(M=state), {"items": ["a", "b"], "k": 9})
    assert run.output == [{"v": "a", "i": 0, "all": 9}, {"v": "b", "i": 1, "all": 9}]


@pytest.mark.parametrize(("limit", "seconds"), [(1, 40), (2, 20), (0, 10)])
def test_max_concurrency_limits_how_many_iterations_run(stepfunctions: Harness, limit: int, seconds: int) -> None:
    state = mapped(processor=chain(W={"Type": "Wait", "Seconds": 10}), MaxConcurrency=limit)
    assert stepfunctions.run(chain(M=state), [1, 2, 3, 4]).seconds == seconds


def test_a_map_over_nothing_yields_nothing(stepfunctions: Harness) -> None:
    assert stepfunctions.run(chain(M=mapped(processor=chain(P={"Type": "Pass"}))), []).output == []


def test_an_outcome_caught_inside_an_iteration_leaves_its_siblings_alone(stepfunctions: Harness) -> None:
    def odd_ones_fail(event: int) -> int:
        if event % 2:
            raise ValueError(event)
        return event

    stepfunctions.function("f", odd_ones_fail)
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Bad"}]
    inner: dict[str, Any] = {"StartAt": "T", "States": {"T": {**task("f"), "Catch": catch, "End": True}}}
    inner["States"]["Bad"] = {"Type": "Pass", "Result": "bad", "End": True}
    assert stepfunctions.run(chain(M=mapped(processor=inner)), [1, 2, 3]).output == ["bad", 2, "bad"]


def test_variables_of_an_iteration_stay_inside_it(stepfunctions: Harness) -> None:
    inner = chain(
        A={"Type": "Pass", "Assign": {"y.$": "$"}}, B={"Type": "Pass", "Parameters": {"x.$": "$x", "y.$": "$y"}}
    )
    before, each = {"Type": "Pass", "Assign": {"x": 0}}, mapped(processor=inner)
    assert stepfunctions.run(chain(S=before, M=each), [1, 2]).output == [{"x": 0, "y": 1}, {"x": 0, "y": 2}]
    outside = stepfunctions.run(chain(S=before, M=each, Z={"Type": "Pass", "Parameters": {"y.$": "$y"}}), [1])
    assert (outside.path[-1], outside.error) == ("Z", "States.Runtime")


def test_a_distributed_map_runs_its_items_as_child_executions(stepfunctions: Harness) -> None:
    state = mapped(mode="DISTRIBUTED", processor=chain(P={"Type": "Pass", "Result": "r"}), Label="Items")
    run = stepfunctions.run(chain(M=state), [1, 2])
    (map_run,) = run.execution.map_runs
    children = stepfunctions.engine.api.call("ListExecutions", {"mapRunArn": map_run.arn})["executions"]
    assert run.output == ["r", "r"]
    assert [child["status"] for child in children] == ["SUCCEEDED", "SUCCEEDED"]
    assert "/Items:" in map_run.arn


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 50}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": 49}, "FAILED"),
    ],
)
def test_a_map_run_fails_when_more_fails_than_is_tolerated(
    stepfunctions: Harness, tolerated: dict[str, Any], status: str
) -> None:
    def small_ones_fail(event: int) -> int:
        if event < 3:
            raise ValueError(event)
        return event

    stepfunctions.function("f", small_ones_fail)
    state = mapped(mode="DISTRIBUTED", processor=chain(T=task("f")), MaxConcurrency=1, **tolerated)
    run = stepfunctions.run(chain(M=state), [1, 2, 3, 4])
    assert run.status == status
    assert run.error == (None if status == "SUCCEEDED" else "States.ExceedToleratedFailureThreshold")


def test_a_batcher_puts_items_together(stepfunctions: Harness) -> None:
    batcher = {"MaxItemsPerBatch": 2, "BatchInput": {"k.$": "$$.Execution.Name"}}
    state = mapped(mode="DISTRIBUTED", processor=chain(P={"Type": "Pass"}), ItemBatcher=batcher)
    run = stepfunctions.run(chain(M=state), [1, 2, 3], name="n")
    assert run.output == [{"BatchInput": {"k": "n"}, "Items": [1, 2]}, {"BatchInput": {"k": "n"}, "Items": [3]}]


def test_a_branch_that_was_cut_short_goes_nowhere_any_more(stepfunctions: Harness, clock: VirtualTime) -> None:
    steps = {f"P{number}": {"Type": "Pass"} for number in range(6)}
    failing = chain(A={"Type": "Pass"}, F={"Type": "Fail", "Error": "E"})
    state = parallel(failing, chain(**steps), Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}], End=True)
    rest = {"Type": "Wait", "Seconds": 10, "End": True}
    run = stepfunctions.run({"StartAt": "P", "States": {"P": state, "C": rest}})
    assert run.path.index("C") == len(run.path) - 1
    assert "P5" not in run.path


def test_a_stopped_execution_takes_its_child_executions_with_it(stepfunctions: Harness) -> None:
    state = mapped(mode="DISTRIBUTED", processor=chain(W={"Type": "Wait", "Seconds": 100}))
    run = stepfunctions.start(chain(M=state), [1, 2])
    stepfunctions.engine.api.call("StopExecution", {"executionArn": run.arn})
    (map_run,) = run.execution.map_runs
    children = stepfunctions.engine.api.call("ListExecutions", {"mapRunArn": map_run.arn})["executions"]
    assert (run.status, map_run.status) == ("ABORTED", "ABORTED")
    assert {child["status"] for child in children} == {"ABORTED"}
    assert stepfunctions.engine.core.scheduler.next_moment() is None


def test_an_iteration_cut_short_is_recorded_as_aborted(stepfunctions: Harness) -> None:
    inner = {
        "StartAt": "C",
        "States": {
            "C": {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "F"}],
                "Default": "W",
            },
            "F": {"Type": "Fail", "Error": "E"},
            "W": {"Type": "Wait", "Seconds": 5, "End": True},
        },
    }
    run = stepfunctions.run(chain(M=mapped(processor=inner)), [0, 1])
    assert [event["mapIterationAbortedEventDetails"]["index"] for event in run.events("MapIterationAborted")] == [0]
    assert [event["mapIterationFailedEventDetails"]["index"] for event in run.events("MapIterationFailed")] == [1]


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_a_redrive_repeats_only_the_iterations_that_did_not_succeed(stepfunctions: Harness, mode: str) -> None:
    broken = {2}

    def work(event: int) -> int:
        if event in broken:
            raise ValueError(event)
        return event * 10

    stepfunctions.function("f", work)
    state = mapped(mode=mode, processor=chain(P={"Type": "Pass"}, T=task("f")), MaxConcurrency=1)
    run = stepfunctions.run(chain(A={"Type": "Pass"}, M=state), [1, 2, 3])
    assert run.status == "FAILED"
    broken.clear()
    stepfunctions.calls.clear()
    stepfunctions.engine.api.call("RedriveExecution", {"executionArn": run.arn})
    stepfunctions.finish(run)
    assert (run.status, run.output) == ("SUCCEEDED", [10, 20, 30])
    assert [event for _, event in stepfunctions.calls] == [2, 3]
    assert run.path.count("M") == 1


def test_a_redriven_parallel_keeps_what_its_good_branches_gave(stepfunctions: Harness) -> None:
    broken = [True]

    def work(event: object) -> str:
        if broken:
            raise ValueError("broken")
        return "mended"

    stepfunctions.function("bad", work)
    stepfunctions.function("good", lambda event: "good")
    late = chain(W={"Type": "Wait", "Seconds": 5}, T=task("bad"))
    run = stepfunctions.run(chain(P=parallel(chain(G=task("good")), late)))
    assert run.status == "FAILED"
    broken.clear()
    stepfunctions.engine.api.call("RedriveExecution", {"executionArn": run.arn})
    stepfunctions.finish(run)
    assert (run.output, [name for name, _ in stepfunctions.calls]) == (["good", "mended"], ["good", "bad", "bad"])


def test_an_item_that_cannot_be_selected_cuts_the_iterations_under_way_short(stepfunctions: Harness) -> None:
    state = mapped(
        processor=chain(W={"Type": "Wait", "Seconds": 5}, After={"Type": "Pass"}),
        ItemSelector={"v.$": "States.StringToJson($$.Map.Item.Value)"},
        Catch=[{"ErrorEquals": ["States.ALL"], "Next": "C"}],
        End=True,
    )
    run = stepfunctions.run(
        {"StartAt": "M", "States": {"M": state, "C": {"Type": "Wait", "Seconds": 60, "End": True}}}, ["1", "{"]
    )
    run.assert_path("M", "C")
    assert len(run.events("MapIterationAborted")) == 1


def test_a_redrive_selects_the_items_again_that_could_not_be_selected(stepfunctions: Harness) -> None:
    state = mapped(
        processor=chain(P={"Type": "Pass"}),
        MaxConcurrency=1,
        ItemSelector={"v.$": "States.ArrayGetItem(States.ArrayRange(1, $.last, 1), $$.Execution.RedriveCount)"},
        ItemsPath="$.items",
    )
    run = stepfunctions.run(chain(M=state), {"items": [1, 2], "last": 1})
    assert run.output == [{"v": 1}, {"v": 1}]
    state["ItemSelector"] = {
        "v.$": "States.ArrayGetItem($$.Map.Item.Value, States.MathAdd($$.Execution.RedriveCount, -1))"
    }
    run = stepfunctions.run(chain(M=state), {"items": [["a"], ["b"]], "last": 1})
    assert run.status == "FAILED"
    stepfunctions.engine.api.call("RedriveExecution", {"executionArn": run.arn})
    stepfunctions.finish(run)
    assert run.output == [{"v": "a"}, {"v": "b"}]


def test_a_map_run_whose_items_cannot_be_selected_has_failed(stepfunctions: Harness) -> None:
    selector = {"v.$": "States.StringToJson($$.Map.Item.Value)"}
    run = stepfunctions.run(
        chain(M=mapped(mode="DISTRIBUTED", processor=chain(P={"Type": "Pass"}), ItemSelector=selector)), ["{"]
    )
    (map_run,) = run.execution.map_runs
    assert (run.status, map_run.status, map_run.stopped) == ("FAILED", "FAILED", run.execution.stopped)


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_redrive_starts_children_that_were_stopped_before_their_first_state(seed: int) -> None:
    only_redriven = "States.ArrayGetItem(States.Array(1), States.MathAdd($$.Execution.RedriveCount, -1))"
    inner = chain(P={"Type": "Pass", "Parameters": {"v.$": only_redriven}})
    harness = Harness(seed=seed)
    run = harness.run(chain(M=mapped(mode="DISTRIBUTED", processor=inner)), [1, 2, 3, 4])
    assert run.status == "FAILED"
    harness.engine.api.call("RedriveExecution", {"executionArn": run.arn})
    harness.finish(run)
    assert (run.status, run.output) == ("SUCCEEDED", [{"v": 1}] * 4)
