"""What the rescue rule listens for and says, as EventBridge takes it.

The event: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

from __future__ import annotations

from typing import Any, Final

ENDED_BADLY: Final = ("FAILED", "TIMED_OUT", "ABORTED")
"""None of these runs a Catch when it befalls an execution as a whole."""

INPUT_PATHS: Final = {"saga": "$.detail.name"}
INPUT_TEMPLATE: Final = '{"saga_id": <saga>, "reason": "COMPENSATE"}'
"""A provisioning execution is named after its saga; a release that finds it committed leaves it alone."""


def rescue_pattern(provisioning_arn: str) -> dict[str, Any]:
    """Return the event pattern for executions of that state machine that ended badly."""
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": list(ENDED_BADLY), "stateMachineArn": [provisioning_arn]},
    }
