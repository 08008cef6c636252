"""A cloud in memory, with the habits of real ones: things take time, replies are lost, requests arrive late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lambdas.core.errors import RetryableError, StepError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.provider import Marked, Observation
from lambdas.core.preflight import Shortage
from lambdas.core.targets import Target


class WorkerKilled(BaseException):
    """The function died at this point: no handler of the code under test may see it."""


@dataclass
class Thing:
    """One part that exists in the cloud, or that will (`exists_at`) because its request is still on its way."""

    saga_id: str
    resource_id: str
    part: str
    exists_at: float
    ready_at: float
    failure: StepError | None = None


@dataclass
class Fault:
    """What befalls one call: raised `before` any effect, or `after` it, when only the reply is lost."""

    operation: str
    before: BaseException | None = None
    after: BaseException | None = None


@dataclass
class FakeProvider:
    """A cloud whose every resource has `part_names`, each ready `seconds_to_ready` after it was begun.

    `calls` has every call as (operation, resource id, part); `begun` counts what was really started per part, so that a
    second creation shows. Faults are used up in order, one per call of their operation.
    """

    clock: Clock
    part_names: tuple[str, ...] = ("network", "machine")
    settling_seconds: float = 60
    repeat_seconds: float = 0
    seconds_to_ready: float = 0
    stubborn: bool = False
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    begun: list[tuple[str, str]] = field(default_factory=list)
    things: dict[str, Thing] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    short: list[Shortage] = field(default_factory=list)

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """What is created one after the other."""
        return self.part_names

    def create(self, intent: Intent, part: str) -> str:
        """Begin a part, once per token; one whose predecessor is not ready is refused."""
        fault = self._called("create", intent, part)
        token = intent.token(part)
        if token not in self.things:
            self._demand_predecessor(intent, part)
            self._begin(token, intent, part, late=0)
        _raise(fault.after)
        return f"operation-of-{part}"

    def arrive_late(self, intent: Intent, part: str, seconds: float) -> None:
        """A create request that somebody sent and gave up on takes effect in so many seconds."""
        self._begin(intent.token(part), intent, part, late=seconds)

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look at a part; one that was never begun is an error of the caller's."""
        fault = self._called("observe", intent, part)
        _raise(fault.after)
        if part not in intent.operations:
            raise TerminalError("NoOperation", f"{part} was never begun")
        thing = self.things[intent.token(part)]
        if thing.failure:
            raise thing.failure
        return Observation(thing.ready_at <= self._now, intent.name)

    def delete(self, intent: Intent) -> None:
        """Remove at once whatever exists, unless the cloud is `stubborn`."""
        fault = self._called("delete", intent, "")
        if not self.stubborn:
            for token in [token for token, _ in self._existing(intent)]:
                del self.things[token]
        _raise(fault.after)

    def find(self, intent: Intent) -> list[str]:
        """The names of everything that exists now."""
        fault = self._called("find", intent, "")
        _raise(fault.after)
        return [f"{intent.name}/{thing.part}" for _, thing in self._existing(intent)]

    def inventory(self, target: Target | None = None) -> list[Marked]:
        """Everything that exists now, by its saga and resource."""
        return [
            Marked(it.saga_id, it.resource_id, f"{it.saga_id}/{it.part}", datetime.fromtimestamp(it.exists_at, UTC))
            for it in self.things.values()
            if it.exists_at <= self._now
        ]

    def holding(self) -> list[str]:
        """The ids of the resources that have anything in this cloud, now or soon."""
        return sorted({thing.resource_id for thing in self.things.values()})

    def shortages(self, intents: Sequence[Intent]) -> list[Shortage]:
        """What the test says is short."""
        for fault in [fault for fault in self.faults if fault.operation == "shortages"]:
            self.faults.remove(fault)
            _raise(fault.before)
        return self.short

    def fail_part(self, part: str, error: StepError) -> None:
        """Everything of that part, begun already, turns out to have failed."""
        for thing in self.things.values():
            if thing.part == part:
                thing.failure = error

    @property
    def _now(self) -> float:
        return self.clock.now().timestamp()

    def _begin(self, token: str, intent: Intent, part: str, late: float) -> None:
        exists_at = self._now + late
        ready_at = exists_at + self.seconds_to_ready
        self.things[token] = Thing(intent.saga_id, intent.resource_id, part, exists_at, ready_at)
        self.begun.append((intent.resource_id, part))

    def _demand_predecessor(self, intent: Intent, part: str) -> None:
        for earlier in self.part_names[: self.part_names.index(part)]:
            thing = self.things.get(intent.token(earlier))
            if thing is None or thing.ready_at > self._now:
                raise TerminalError("OutOfOrder", f"{part} was begun before {earlier} was ready")

    def _existing(self, intent: Intent) -> Iterable[tuple[str, Thing]]:
        for token, thing in self.things.items():
            ours = (thing.saga_id, thing.resource_id) == (intent.saga_id, intent.resource_id)
            if ours and thing.exists_at <= self._now:
                yield token, thing

    def _called(self, operation: str, intent: Intent, part: str) -> Fault:
        self.calls.append((operation, intent.resource_id, part))
        fault = next((fault for fault in self.faults if fault.operation == operation), Fault(operation))
        if fault in self.faults:
            self.faults.remove(fault)
        _raise(fault.before)
        return fault


def lost_reply() -> RetryableError:
    """What a provider raises when nobody knows whether the call happened."""
    return RetryableError("ReadTimeout", "nobody knows whether the call happened")


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error
