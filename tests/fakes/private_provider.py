"""Private clusters in memory, which do not recognise a repeated request: what is sent twice is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from lambdas.core.errors import CapacityError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.provider import Marked, Observation, Survey
from tests.fakes.provider import Fault
from tests.fakes.reports import cluster_report

MACHINE = "machine"
POWER = "power"


@dataclass(eq=False)
class Machine:
    """One machine; before `exists_at` its request is under way, and nobody can see it."""

    cluster: str
    saga_id: str
    resource_id: str
    exists_at: float
    powered: bool = False


@dataclass
class FakePrivateProvider:
    """Clusters of which those in `full` refuse to start a machine, after having cloned it.

    A clone shows itself `seconds_to_show` after it was asked for. Faults are used up in order, one per call of their
    operation.
    """

    clock: Clock
    settling_seconds: float = 60
    repeat_seconds: float = 90
    seconds_to_show: float = 0
    full: set[str] = field(default_factory=set)
    machines: list[Machine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """A machine is cloned, and started."""
        return (MACHINE, POWER)

    def create(self, intent: Intent, part: str) -> str:
        """Clone a machine unless one can be seen, or start it."""
        fault = self._called("create")
        if part == POWER:
            if intent.cluster in self.full:
                raise CapacityError("InsufficientResources", f"{intent.cluster} has no room to start {intent.name}")
            for machine in self._visible(intent):
                machine.powered = True
        elif not self._visible(intent):
            self.machines.append(self._machine(intent))
        if fault.after is not None:
            raise fault.after
        return ""

    def observe(self, intent: Intent, part: str) -> Observation:
        """Whether it is there, or running."""
        self._called("observe")
        machines = self._visible(intent)
        if part == POWER and not machines:
            raise TerminalError("Gone", f"{intent.name} is not there any more")
        return Observation(any(it.powered or part == MACHINE for it in machines), intent.name)

    def delete(self, intent: Intent) -> None:
        """Remove what can be seen."""
        self._called("delete")
        gone = self._visible(intent)
        self.machines = [it for it in self.machines if it not in gone]

    def find(self, intent: Intent) -> list[str]:
        """What can be seen."""
        self._called("find")
        return [f"{it.cluster}/{intent.name}" for it in self._visible(intent)]

    def survey(self, cluster: str) -> Survey:
        """An ordinary report, and what is there of ours."""
        self._called("survey")
        there = [it for it in self.machines if it.cluster == cluster]
        marked = (Marked(it.saga_id, it.resource_id, f"{cluster}/{it.resource_id}") for it in there)
        return Survey(cluster_report(self.clock.now()), tuple(marked))

    def holding(self) -> list[tuple[str, str]]:
        """The cluster and resource of every machine there is or will be."""
        return sorted((it.cluster, it.resource_id) for it in self.machines)

    def doubles(self) -> Sequence[tuple[str, str]]:
        """The resources of which there is more than one machine, with their saga."""
        counted = Counter((it.saga_id, it.resource_id) for it in self.machines)
        return [resource for resource, count in counted.items() if count > 1]

    def _machine(self, intent: Intent) -> Machine:
        assert intent.cluster is not None
        exists_at = self.clock.now().timestamp() + self.seconds_to_show
        return Machine(intent.cluster, intent.saga_id, intent.resource_id, exists_at)

    def _visible(self, intent: Intent) -> list[Machine]:
        now = self.clock.now().timestamp()
        wanted = (intent.cluster, intent.saga_id, intent.resource_id)
        return [
            it for it in self.machines if (it.cluster, it.saga_id, it.resource_id) == wanted and it.exists_at <= now
        ]

    def _called(self, operation: str) -> Fault:
        fault = next((fault for fault in self.faults if fault.operation == operation), Fault(operation))
        if fault in self.faults:
            self.faults.remove(fault)
        if fault.before is not None:
            raise fault.before
        return fault
