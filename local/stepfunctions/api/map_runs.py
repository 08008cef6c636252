"""Map runs: list, describe, update."""

from __future__ import annotations

from typing import Any

from local.stepfunctions.api.paging import page
from local.stepfunctions.errors import ApiError
from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.core import Core, Input
from local.stepfunctions.runtime.execution import Execution
from local.stepfunctions.runtime.map_run import MapRun

Request = dict[str, Any]


class MapRunOperations:
    """ListMapRuns, DescribeMapRun, UpdateMapRun."""

    def __init__(self, core: Core) -> None:
        self._core = core
        core.operations["map_run"] = self._apply_update

    def _find(self, arn: str) -> MapRun:
        run = self._core.interpreter.map_runs.by_arn.get(arn)
        if run is not None:
            return run
        raise ApiError("ResourceNotFound", f"Resource not found: '{arn}'")

    def list(self, request: Request, execution: Execution) -> dict[str, Json]:
        """ListMapRuns of an execution."""
        found, more = page(execution.map_runs, request)
        listed = [
            {
                "executionArn": execution.arn,
                "mapRunArn": run.arn,
                "stateMachineArn": execution.origin.machine_arn,
                "startDate": run.started,
                **({"stopDate": run.stopped} if run.stopped is not None else {}),
            }
            for run in found
        ]
        return {"mapRuns": listed, **more}

    def describe(self, request: Request) -> dict[str, Json]:
        """DescribeMapRun."""
        run = self._find(request["mapRunArn"])
        return {
            "mapRunArn": run.arn,
            "executionArn": run.owner.execution.arn,
            "status": run.status,
            "startDate": run.started,
            **({"stopDate": run.stopped} if run.stopped is not None else {}),
            "maxConcurrency": run.max_concurrency,
            "toleratedFailurePercentage": run.tolerated_percentage,
            "toleratedFailureCount": run.tolerated_count,
            "itemCounts": _counts(run, run.item_counts),
            "executionCounts": _counts(run, [1] * len(run.inputs)),
            "redriveCount": run.redrives,
        }

    def update(self, request: Request) -> dict[str, Json]:
        """UpdateMapRun: concurrency and tolerance of a run that is under way."""
        run = self._find(request["mapRunArn"])
        if run.status != "RUNNING":
            raise ApiError("ValidationException", "The map run is not running")
        fields = ("maxConcurrency", "toleratedFailurePercentage", "toleratedFailureCount")
        changes = {name: request[name] for name in fields if name in request}
        self._core.apply("map_run", arn=run.arn, changes=changes)
        return {}

    def _apply_update(self, record: Input) -> None:
        run, changes = self._find(record["arn"]), record["changes"]
        run.max_concurrency = changes.get("maxConcurrency", run.max_concurrency)
        run.tolerated_count = changes.get("toleratedFailureCount", run.tolerated_count)
        run.tolerated_percentage = changes.get("toleratedFailurePercentage", run.tolerated_percentage)


def _counts(run: MapRun, weights: list[int]) -> dict[str, int]:
    counts = dict.fromkeys(("succeeded", "failed", "timedOut", "aborted"), 0)
    names = {"SUCCEEDED": "succeeded", "FAILED": "failed", "TIMED_OUT": "timedOut", "ABORTED": "aborted"}
    for index, child in run.ended.items():
        counts[names[child.status]] += weights[index]
    running = sum(weights[index] for index in run.running)
    total = sum(weights)
    return {
        **counts,
        "running": running,
        "pending": total - running - sum(counts.values()),
        "total": total,
        "resultsWritten": counts["succeeded"] if run.spec.writer is not None else 0,
        "failuresNotRedrivable": 0,
        "pendingRedrive": 0,
    }
