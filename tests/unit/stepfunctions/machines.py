"""Small definitions that the specifications share."""

from __future__ import annotations

from typing import Any

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
Definition = dict[str, Any]


def chain(**states: Definition) -> Definition:
    """A machine whose states follow each other in the order given; the last one ends it."""
    names = list(states)
    linked: Definition = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = dict(states[name])
        if state["Type"] not in ("Choice", "Succeed", "Fail") and "Next" not in state:
            state.update({"End": True} if following is None else {"Next": following})
        linked[name] = state
    return {"StartAt": names[0], "States": linked}


def task(function: str, **fields: Any) -> Definition:
    """A Task that calls a function by its ARN."""
    return {"Type": "Task", "Resource": FUNCTION + function, **fields}
