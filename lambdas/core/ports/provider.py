"""A target cloud, as the steps see it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from lambdas.core.model import Intent


class Observation(NamedTuple):
    """What one look at a part found: whether it is ready, and the cloud's own id of the resource once known."""

    ready: bool
    cloud_id: str | None = None


class Provider(Protocol):
    """One cloud.

    No call may block or sleep: each makes a few requests and returns. Every call is idempotent: after a crash, a
    timeout or a lost reply it is simply made again with the same intent, and nothing happens twice. What fails is
    raised as RetryableError, CapacityError or TerminalError, translated in the provider's `errors` module and nowhere
    else.
    """

    @property
    def settling_seconds(self) -> float:
        """How long something must stay unfound before it counts as gone.

        Longer than a create can stay under way: the function's own timeout, plus what the cloud's lists lag behind.
        """
        ...

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """What is created one after the other for this intent, in order; each begins when the one before is ready."""
        ...

    def create(self, intent: Intent, part: str) -> str:
        """Begin creating `part`, with a deterministic name, the saga's marks and the cloud's idempotency key.

        Returns the handle by which the operation can be looked at, or "" where the resource itself is looked at.
        """
        ...

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at a part that was begun; one that failed after it was accepted raises."""
        ...

    def delete(self, intent: Intent) -> None:
        """Begin removing whatever exists of this intent and can go now; what cannot go yet is left for next time."""
        ...

    def find(self, intent: Intent) -> list[str]:
        """The cloud's ids of everything that exists of this intent now, by name, mark and token.

        What is still being created or deleted counts as existing.
        """
        ...
