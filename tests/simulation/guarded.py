"""A simulated skysaga with all that watches over it: the event pump plays the rescue rule, expiries and the sweep."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from infra.rescue import INPUT_PATHS, INPUT_TEMPLATE, rescue_pattern
from lambdas.adapters.expiry import SchedulerExpiry
from lambdas.adapters.settings import ExpirySettings
from lambdas.adapters.steps import Surroundings
from lambdas.adapters.sweeping import sweep_handler
from lambdas.core.policy import Policy
from lambdas.core.steps.sweep import LedgerSweep
from lambdas.core.targets import DEFAULT, AwsTarget, AzureTarget, GcpTarget, Targets
from lambdas.sweep.handler import sweep_steps_handler
from local.event_pump import EventPump, Rule, Schedule, Target
from local.event_pump.targets import LocalTargets
from tests.contract.azure_cloud import SUBSCRIPTION
from tests.simulation.world import EngineClock, World

RELEASE: Final = "arn:aws:states:us-east-1:123456789012:stateMachine:skysaga-release"
_EXPIRY: Final = ExpirySettings(EXPIRY_SCHEDULE_GROUP="expiry", EXPIRY_ROLE="role", RELEASE_STATE_MACHINE=RELEASE)


class _Conflict(Exception):
    """What Scheduler raises for a name that is taken."""


@dataclass
class Shelf:
    """Rules and schedules in memory: the pump's source, and as much of a Scheduler client as the adapter calls."""

    kept_rules: list[Rule] = field(default_factory=list)
    kept: dict[str, Schedule] = field(default_factory=dict)
    changed: Callable[[], None] = lambda: None

    class exceptions:  # noqa: N801 -- boto3's own name
        """The client's errors."""

        ConflictException = _Conflict

    def rules(self) -> Sequence[Rule]:
        """The rules (the pump's source)."""
        return list(self.kept_rules)

    def schedules(self) -> Sequence[Schedule]:
        """The schedules (the pump's source)."""
        return list(self.kept.values())

    def delete_schedule(self, schedule: Schedule) -> None:
        """Forget one that is done (the pump's source)."""
        self.kept.pop(schedule.name, None)

    def create_schedule(self, **wanted: Any) -> None:
        """Keep one (the client)."""
        if wanted["Name"] in self.kept:
            raise _Conflict
        self.kept[wanted["Name"]] = Schedule(
            group=wanted["GroupName"],
            name=wanted["Name"],
            expression=wanted["ScheduleExpression"],
            timezone=wanted["ScheduleExpressionTimezone"],
            target=Target(wanted["Target"]["Arn"], input=wanted["Target"]["Input"]),
            created=0,
            delete_when_done=wanted["ActionAfterCompletion"] == "DELETE",
        )
        self.changed()


@dataclass
class GuardedWorld(World):
    """A world whose events go through the pump; `changes` are made to the definition of the provisioning machine."""

    changes: Callable[[dict[str, Any]], None] = lambda definition: None
    shelf: Shelf = field(default_factory=Shelf)
    pump: EventPump = field(init=False)

    def __post_init__(self) -> None:
        """Put the parts together, and begin to watch."""
        clock = EngineClock(self.clock)
        self.expiry = SchedulerExpiry(self.shelf, _EXPIRY, clock)
        super().__post_init__()
        self._add_sweep_functions(Surroundings(self.ledger, clock, Policy()))
        self.sweeping = self._deploy("sweep", SweepFunction="skysaga-sweep", ReleaseStateMachine=self.release)
        told = Target(self.release, input_paths=INPUT_PATHS, input_template=INPUT_TEMPLATE)
        self.shelf.kept_rules.append(Rule("rescue", [told], pattern=rescue_pattern(self.provisioning)))
        self.pump = EventPump(self.engine, self.shelf, LocalTargets(self.engine.start_execution, _nobody, _nobody))
        self.shelf.changed = self.pump.refresh
        self.pump.start()

    def definition(self, name: str) -> str:
        """A state machine with the changes of this world."""
        definition = json.loads(super().definition(name))
        if name == "provisioning":
            self.changes(definition)
        return json.dumps(definition)

    def on_status_change(self, detail: dict[str, Any]) -> None:
        """Emit the event; the rule does the rest."""
        self.pump.status_changed(detail)

    def lose_events(self) -> None:
        """From now on no event finds a rule: they are best effort."""
        self.shelf.kept_rules.clear()
        self.pump.refresh()

    def sweep_every_hour(self) -> None:
        """Have the sweep fire on its schedule; from now on `run` would never end."""
        target = Target(self.sweeping, input='{"dry_run": false}')
        self.shelf.kept["sweep"] = Schedule("default", "sweep", "rate(1 hour)", target, created=self.clock.now())
        self.pump.refresh()

    def sweep(self, *, dry_run: bool = False) -> Mapping[str, Any]:
        """Sweep now, let follow what follows, and tell what was found."""
        execution = self.engine.start_execution(self.sweeping, {"dry_run": dry_run})
        self.run()
        ended = self.engine.execution(execution)
        assert ended.status == "SUCCEEDED", (ended.error, ended.cause)
        found: dict[str, Any] = json.loads(ended.output_text or "")
        return found

    def stop(self, saga_id: str) -> None:
        """StopExecution on a saga's provisioning."""
        arn = f"{self.provisioning.replace(':stateMachine:', ':execution:')}:{saga_id}"
        status, body = self.engine.handle("AWSStepFunctions.StopExecution", json.dumps({"executionArn": arn}).encode())
        assert status == 200, body

    def _add_sweep_functions(self, surroundings: Surroundings) -> None:
        targets: Targets = {
            "aws": {DEFAULT: AwsTarget()},
            "azure": {DEFAULT: AzureTarget(subscription_id=SUBSCRIPTION)},
            "gcp": {DEFAULT: GcpTarget(project="shop")},
        }
        for name, cloud in self.clouds.items():
            self._handlers[f"skysaga-{name}-sweep"] = sweep_handler(
                name,
                lambda cloud=cloud: cloud.provider,  # type: ignore[misc]  # bound per iteration
                lambda: surroundings,
                lambda: targets,
            )
        functions = {name: f"skysaga-{name}-sweep" for name in self.clouds}
        self._handlers["skysaga-sweep"] = sweep_steps_handler(
            lambda: LedgerSweep(*surroundings), lambda: functions, lambda: targets
        )


def _nobody(*_: object) -> None:
    raise AssertionError("only state machines are called here")
