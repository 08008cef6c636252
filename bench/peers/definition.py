"""The saga as a state machine: three clouds as branches, create then poll, then commit or compensate.

Thirteen tasks when it is committed: intent, create and two polls per cloud, and the commit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLOUDS = ("aws", "azure", "gcp")
FUNCTIONS = "arn:aws:lambda:us-east-1:123456789012:function:"


def definition() -> dict[str, Any]:
    """The state machine."""
    ready = [{"Variable": f"$.clouds.{cloud}.ready", "BooleanEquals": True} for cloud in CLOUDS]
    states: dict[str, Any] = {
        "Provision": {
            "Type": "Parallel",
            "Branches": [_branch(cloud) for cloud in CLOUDS],
            "ResultSelector": {f"{cloud}.$": f"$[{index}]" for index, cloud in enumerate(CLOUDS)},
            "ResultPath": "$.clouds",
            "Next": "Decide",
        },
        "Decide": {"Type": "Choice", "Choices": [{"And": ready, "Next": "Commit"}], "Default": "Needs_gcp"},
        "Commit": {**_task("commit"), "End": True},
        "Abort": {**_task("abort"), "Next": "RolledBack"},
        "RolledBack": {"Type": "Fail", "Error": "RolledBack", "Cause": "a cloud has refused"},
    }
    following = "Abort"
    for cloud in CLOUDS:
        is_ready = {"Variable": f"$.clouds.{cloud}.ready", "BooleanEquals": True, "Next": f"Delete_{cloud}"}
        states[f"Needs_{cloud}"] = {"Type": "Choice", "Choices": [is_ready], "Default": following}
        states[f"Delete_{cloud}"] = {**_task("delete", cloud), "Next": following}
        following = f"Needs_{cloud}"
    return {"StartAt": "Provision", "States": states}


def _branch(cloud: str) -> dict[str, Any]:
    failed = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": f"Failed_{cloud}"}
    states = {
        f"Intent_{cloud}": {**_task("record_intent", cloud), "ResultPath": "$.intent", "Next": f"Create_{cloud}"},
        f"Create_{cloud}": {
            **_task("create", cloud, **{"fail.$": "$.fail"}),
            "ResultPath": "$.resource",
            "Next": f"Begin_{cloud}",
        },
        f"Begin_{cloud}": {"Type": "Pass", "Result": {"n": 0}, "ResultPath": "$.state", "Next": f"Describe_{cloud}"},
        f"Describe_{cloud}": {
            "Type": "Task",
            "Resource": f"{FUNCTIONS}describe",
            "Parameters": {"cloud": cloud, "id.$": "$.resource.id", "n.$": "$.state.n"},
            "ResultPath": "$.state",
            "Next": f"IsReady_{cloud}",
        },
        f"IsReady_{cloud}": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.state.ready", "BooleanEquals": True, "Next": f"Ready_{cloud}"}],
            "Default": f"Describe_{cloud}",
        },
        f"Ready_{cloud}": {"Type": "Pass", "Parameters": {"ready": True, "id.$": "$.resource.id"}, "End": True},
        f"Failed_{cloud}": {"Type": "Pass", "Parameters": {"ready": False}, "End": True},
    }
    for state in states.values():
        if state["Type"] == "Task":
            state["Catch"] = [failed]
    return {"StartAt": f"Intent_{cloud}", "States": states}


def _task(function: str, cloud: str | None = None, **parameters: str) -> dict[str, Any]:
    whose = {} if cloud is None else {"cloud": cloud}
    return {
        "Type": "Task",
        "Resource": f"{FUNCTIONS}{function}",
        "Parameters": {"saga.$": "$.saga", **whose, **parameters},
        "ResultPath": "$.done",
    }


def write_definition(directory: Path) -> Path:
    """The state machine in a file."""
    path = directory / "saga.asl.json"
    path.write_text(json.dumps(definition()))
    return path
