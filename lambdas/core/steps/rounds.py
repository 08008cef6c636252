"""Rounds: an execution that works on a batch of a wave may last five minutes, so a batch takes as many as it needs.

What a round has not finished is in the ledger, and the join of the wave begins another.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from lambdas.core.steps.results import Next, StepResult

ROUND: Final = timedelta(seconds=240)
"""How long a round waits for its resources. The rest of the five minutes is for the last look and its retries:
https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html.
"""

SECONDS_BETWEEN: Final = 10
"""How far rounds are apart: one that cannot even begin must not fill the history of the execution that begins it."""


def within_round(result: StepResult, began: datetime, now: datetime) -> StepResult:
    """A step's result in a round that began then: no wait is longer than the round, and nothing begins after it."""
    if result["next"] is Next.DONE:
        return result
    left = began + ROUND - now
    if left <= timedelta():
        return {"next": Next.LATER, "delay": 0}
    return {**result, "delay": min(result["delay"], ceil(left.total_seconds()))}
