"""Starting state machines, and waking one that waits."""

from __future__ import annotations

from typing import Protocol

from lambdas.core.steps.saga import ReleaseReason


class Executions(Protocol):
    """The saga's state machines; starting one that was started already does nothing, and so does waking it again."""

    def start_provisioning(self, saga_id: str) -> None:
        """Start provisioning a saga that is in the ledger; raises RetryableError."""
        ...

    def wake(self, token: str) -> None:
        """Let the task that waits with this token end; one that waits no more is left alone; raises RetryableError."""
        ...

    def start_release(self, saga_id: str, reason: ReleaseReason, attempt: int) -> None:
        """Start releasing a saga; `attempt` tells one release of it from the next; raises RetryableError."""
        ...
