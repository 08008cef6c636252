"""The EventBridge event "Step Functions Execution Status Change"."""

from __future__ import annotations

from local.stepfunctions.jsontext import Json
from local.stepfunctions.runtime.execution import Execution


def status_change(execution: Execution) -> dict[str, Json]:
    """The event's `detail`: dates in milliseconds, absent values null, as "Automating event delivery" documents it."""
    origin = execution.origin
    return {
        "executionArn": execution.arn,
        "stateMachineArn": origin.machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": round(execution.started * 1000),
        "stopDate": None if execution.stopped is None else round(execution.stopped * 1000),
        "input": execution.input_text,
        "output": execution.output_text,
        "inputDetails": {"included": True},
        "outputDetails": None if execution.output_text is None else {"included": True},
        "stateMachineVersionArn": origin.version_arn,
        "stateMachineAliasArn": origin.alias_arn,
        "redriveCount": execution.redrives,
        "redriveDate": None if execution.redriven is None else round(execution.redriven * 1000),
        "redriveStatus": "NOT_REDRIVABLE" if execution.status in ("RUNNING", "SUCCEEDED") else "REDRIVABLE",
        "error": execution.error,
        "cause": execution.cause,
    }
