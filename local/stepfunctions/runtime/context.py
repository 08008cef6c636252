"""The context object, `$$` in JSONPath and `$states.context` in JSONata."""

from __future__ import annotations

from local.stepfunctions.jsontext import Json, loads
from local.stepfunctions.runtime.execution import NO_STATE, Branch
from local.stepfunctions.timestamps import format_timestamp


def build_context(branch: Branch) -> dict[str, Json]:
    """What a state can know of its execution, built when first asked for."""
    execution, state = branch.execution, branch.state
    origin = execution.origin
    about: dict[str, Json] = {
        "Id": execution.arn,
        "Input": loads(execution.input_text),
        "StartTime": format_timestamp(execution.started),
        "Name": execution.name,
        "RoleArn": origin.role_arn,
        "RedriveCount": execution.redrives,
    }
    if execution.redriven is not None:
        about["RedriveTime"] = format_timestamp(execution.redriven)
    context: dict[str, Json] = {
        "Execution": about,
        "StateMachine": {"Id": origin.machine_arn, "Name": origin.machine_name},
    }
    if state is not NO_STATE:
        context["State"] = {"Name": state.name, "EnteredTime": format_timestamp(branch.entered_at)}
        if state.type in ("Task", "Parallel", "Map"):
            context["State"]["RetryCount"] = branch.retry_count
    if branch.attempt is not None and branch.attempt.token is not None:
        context["Task"] = {"Token": branch.attempt.token}
    if branch.map_item is not None:
        context["Map"] = {"Item": branch.map_item}
    return context
