"""A target cloud, as the steps see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from lambdas.core.clusters import ClusterReport
from lambdas.core.model import Intent
from lambdas.core.preflight import Shortage
from lambdas.core.prices import Price
from lambdas.core.targets import Target


class Observation(NamedTuple):
    """What one look at a part found: whether it is ready, and the cloud's own id of the resource once known."""

    ready: bool
    cloud_id: str | None = None


class Marked(NamedTuple):
    """One thing in a cloud that carries our mark: whose it says it is, its id there, and since when it exists if known.

    `resource_id` is "" where the mark of the saga stands alone. `cluster` is on which private cluster it is.
    """

    saga_id: str
    resource_id: str
    cloud_id: str
    created_at: datetime | None = None
    cluster: str | None = None


class Provider(Protocol):
    """One cloud, in every target: an intent says in which it is, or else it is where the environment says.

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

    @property
    def repeat_seconds(self) -> float:
        """How long a create whose answer never came must not be sent again unless `find` shows what became of it.

        0 where the cloud recognises a repeated request by its key or name, so that nothing can come of it twice.
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


class Preflight(Protocol):
    """A cloud that says what it would refuse."""

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """Everything that this cloud would refuse of `intents`, all of them together, if they were created now.

        Only reads. Nothing of the intents exists yet, and disks that they attach have no cloud id. What is not known (a
        quota without a limit, a place nobody has figures for) is no shortage. There may be ten thousand intents, so
        what is alike is asked about once, and of what differs as much as there is time for: the rest is not known.
        """
        ...


class Prices(Protocol):
    """A cloud, or whoever speaks for it, that says what things cost before they are there."""

    def prices(self, intents: Sequence[Intent]) -> list[Price]:
        """What an hour of each of `intents` costs by the list; what has no price is left out. Only reads.

        Each different price is looked up once, as many as there is time for: what is left is left out.
        """
        ...


class Inventory(Protocol):
    """A cloud that says what it holds of ours."""

    def inventory(self, target: Target | None = None) -> Iterable[Marked]:
        """Everything in a target that carries the mark of any saga, in whichever place we may create something.

        Only reads, and what is on its way out may be among it. For the sweep, not for a saga's own steps: lists lag.
        """
        ...


class Survey(NamedTuple):
    """What a look at a private cluster found: its report, and everything on it that carries our mark."""

    report: ClusterReport
    machines: tuple[Marked, ...]


class PublicProvider(Provider, Preflight, Inventory, Protocol):
    """A cloud that everybody reaches, and that is asked when something is to be known of it."""


class PrivateProvider(Provider, Protocol):
    """Private clusters, which only their worker reaches; they report what others are to know of them."""

    def survey(self, cluster: str) -> Survey:
        """Look at one cluster, by the name that the deployment gave it. Only reads."""
        ...
