"""The textbook saga, to compare with: do, then register the undo; undo what is registered, in reverse.

It is as published ones are, and not worse: the same retries with the same back-off, creates by the same names and with
the same marks, undos that wait until nothing is found. What it lacks is what they lack: an intent written first,
idempotency tokens that outlive an attempt, a fence, absence that has to last, and anybody to see that its execution is
gone.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NamedTuple

from lambdas.adapters.observability import StepHandler
from lambdas.adapters.steps import Surroundings
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, AttachedDisk, Intent, cloud_name
from lambdas.core.specs import ResourceDefinition
from local.clock import VirtualClock
from tests.simulation.clouds import Clouds
from tests.simulation.judge import made_of
from tests.simulation.runs import scenario_of
from tests.simulation.simulated import SimulatedWorld
from tests.simulation.upsets import RandomUpsets

_FUNCTION: Final = "skysaga-textbook"
_RETRY: Final = {
    "ErrorEquals": [
        "RetryableError",
        "Lambda.TooManyRequestsException",
        "Runtime.ExitError",
        "Sandbox.Timedout",
        "States.Timeout",
    ],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxDelaySeconds": 30,
    "MaxAttempts": 8,
    "JitterStrategy": "FULL",
}


class TextbookResult(NamedTuple):
    """How its execution ended, and how many resources exist that should not: left behind, or there twice."""

    seed: int
    status: str
    leaks: int


class TextbookIntent(Intent):
    """What a provider is asked to create, with another token each time it is asked."""

    def token(self, part: str) -> str:
        """A token of this attempt alone."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.saga_id}/{next(_ATTEMPTS)}"))


_ATTEMPTS: Final = count()


@dataclass
class TextbookWorld(SimulatedWorld):
    """The textbook saga on the same engine, the same clouds and in the same trouble."""

    operations: dict[str, dict[str, str]] = field(default_factory=dict)
    cloud_ids: dict[str, str] = field(default_factory=dict)
    arn: str = ""

    def start_provisioning(self, saga_id: str) -> None:
        """Start it, once."""
        if not self.arn:
            snapshot = self.standing()
            order = [resource_id for wave in snapshot.saga.waves for resource_id in wave]
            machine = self.engine.create_state_machine("textbook", textbook_machine(order))
            self.arn = self.engine.start_execution(machine, {})

    def on_status_change(self, detail: dict[str, Any]) -> None:
        """Nobody listens."""

    def _make_handlers(self, surroundings: Surroundings) -> Iterator[tuple[str, StepHandler]]:
        yield _FUNCTION, lambda event, _: self._step(event["step"], event["resource_id"])

    def _cancel(self) -> None:
        self._abort()

    def _step(self, step: str, resource_id: str) -> dict[str, Any]:
        definition = next(it.definition for it in self.standing().resources if it.id == resource_id)
        return {"done": self._undo(definition) if step == "undo" else self._do(definition, step == "do")}

    def _do(self, definition: ResourceDefinition, begins: bool) -> bool:
        provider = self.clouds[definition.provider].provider
        intent = self._intent(definition)
        parts = provider.parts(intent)
        begun = [part for part in parts if part in intent.operations]
        if not begins or begun:
            seen = provider.observe(intent, begun[-1])
            if seen.ready and len(begun) == len(parts):
                self.cloud_ids[definition.id] = seen.cloud_id or ""
                return True
            if not seen.ready:
                return False
        part = parts[len(begun)]
        handle = provider.create(intent, part)
        self.operations.setdefault(definition.id, {})[part] = handle
        return False

    def _undo(self, definition: ResourceDefinition) -> bool:
        provider = self.clouds[definition.provider].provider
        intent = self._intent(definition)
        provider.delete(intent)
        return not provider.find(intent)

    def _intent(self, definition: ResourceDefinition) -> TextbookIntent:
        return TextbookIntent(
            saga_id=self.saga_id,
            definition=definition,
            disks=tuple(
                AttachedDisk(it, cloud_name(self.saga_id, it), self.cloud_ids.get(it, ""))
                for it in definition.attached_disks
            ),
            operations=self.operations.get(definition.id, {}),
        )

    def leaks(self) -> int:
        """How many resources exist that should not, now that it is over."""
        there = Counter(
            (item["marks"][MARK_RESOURCE], item["type"])
            for item in self.inventory()
            if item["marks"].get(MARK_SAGA) == self.saga_id
        )
        if self.engine.execution(self.arn).status == "SUCCEEDED" and "COMMITTED" in self._output():
            for resource in self.standing().resources:
                there -= Counter({(resource.id, kind): times for kind, times in made_of(resource.definition).items()})
        return sum(there.values())

    def _output(self) -> str:
        return self.engine.execution(self.arn).output_text or ""


def textbook_machine(order: list[str]) -> dict[str, Any]:
    """Create one resource after the other; when one fails, undo those before it, last first."""
    states: dict[str, Any] = {
        "Committed": {"Type": "Pass", "Result": "COMMITTED", "End": True},
        "RolledBack": {"Type": "Pass", "Result": "ROLLED_BACK", "End": True},
    }
    for position, resource_id in enumerate(order):
        undo = f"Undo {order[position - 1]}" if position else "RolledBack"
        forward = f"Do {order[position + 1]}" if position + 1 < len(order) else "Committed"
        caught = [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": undo}]
        states |= {
            f"Do {resource_id}": _task("do", resource_id, Catch=caught, Next=f"Wait {resource_id}"),
            f"Wait {resource_id}": {"Type": "Wait", "Seconds": 3, "Next": f"Look {resource_id}"},
            f"Look {resource_id}": _task("look", resource_id, Catch=caught, Next=f"Is {resource_id} there"),
            f"Is {resource_id} there": _if_done(forward, f"Wait {resource_id}"),
        }
        if position + 1 < len(order):
            states |= {
                f"Undo {resource_id}": _task("undo", resource_id, Next=f"Is {resource_id} gone"),
                f"Is {resource_id} gone": _if_done(undo, f"Wait for {resource_id}"),
                f"Wait for {resource_id}": {"Type": "Wait", "Seconds": 5, "Next": f"Undo {resource_id}"},
            }
    return {"StartAt": f"Do {order[0]}", "States": states}


def run_textbook(kept: Clouds, seed: int) -> TextbookResult:
    """What becomes of the textbook saga in the trouble that this seed stands for."""
    scenario = scenario_of(seed)
    clock = VirtualClock()
    kept.empty(clock, seed)
    world = TextbookWorld(clock, kept.under_test(clock), seed=seed, kept=kept)
    world.upsets = RandomUpsets(seed, clock.now)
    try:
        world.begin(scenario.document)
        if scenario.execution_timeout:
            world.engine.call_at(clock.now() + scenario.execution_timeout, world._abort)
        world.engine.advance(24 * 3600)
        execution = world.engine.execution(world.arn)
        status = execution.status if execution.status != "SUCCEEDED" else world._output().strip('"')
        return TextbookResult(seed, status, world.leaks())
    finally:
        world.engine.close()


def _task(step: str, resource_id: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": _FUNCTION, "Payload": {"step": step, "resource_id": resource_id}},
        "TimeoutSeconds": 45,
        "OutputPath": "$.Payload",
        "Retry": [_RETRY],
        **more,
    }


def _if_done(then: str, otherwise: str) -> dict[str, Any]:
    choice = {"Variable": "$.done", "BooleanEquals": True, "Next": then}
    return {"Type": "Choice", "Choices": [choice], "Default": otherwise}
