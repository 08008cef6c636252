"""EventBridge: what somebody may want to know of budgets."""

from __future__ import annotations

import json
from typing import Any, Final

from lambdas.adapters.refusals import retryable
from lambdas.core.billing.budgets import Passed
from lambdas.core.errors import RetryableError

SOURCE: Final = "skysaga"
BUDGET_PASSED: Final = "Budget passed"


class EventBridgeAnnouncements:
    """Puts events on the account's own bus; amounts are strings, since JSON's numbers may be rounded."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def announce(self, passed: Passed) -> None:
        """Say that a threshold of a budget was passed; raises RetryableError."""
        entry = {"Source": SOURCE, "DetailType": BUDGET_PASSED, "Detail": json.dumps(_detail(passed))}
        with retryable("the event could not be sent", "EventBridge did not answer"):
            answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise RetryableError(answer["Entries"][0].get("ErrorCode", "Unknown"), "EventBridge took no event")


def _detail(passed: Passed) -> dict[str, Any]:
    budget = passed.budget
    scope = {name: values[0] for name, values in budget.filters.items()}
    return {
        "version": 1,
        "budget": passed.name,
        "scope": {**scope, **({"label": budget.label} if budget.label else {})},
        "period": passed.period,
        "threshold": passed.threshold,
        "cost": budget.cost,
        "spent": str(passed.spent),
        "amount": str(budget.amount),
        "currency": budget.currency,
        "left_out": [{"currency": currency, "spent": str(it)} for currency, it in passed.left_out.items()],
        "window": passed.window,
    }
