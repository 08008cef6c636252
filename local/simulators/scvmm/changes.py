"""What changes machines: each begins a job, or is refused with CmdletError."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from local.simulators.faults import Fault, FaultKind
from local.simulators.scvmm import errors
from local.simulators.scvmm.errors import Problem
from local.simulators.scvmm.estate import Template
from local.simulators.scvmm.state import Job, Machine, State


class Wanted(NamedTuple):
    """A machine to be created."""

    name: str
    description: str
    template: Template
    host: str
    path: str
    processors: int
    memory_mb: int


@dataclass(frozen=True)
class Changes:
    """The changes at one moment, of which the one whose cmdlet is struck by a fault comes out as that says."""

    state: State
    now: float
    fault: Fault | None = None
    struck: str = ""

    def create(self, wanted: Wanted, cmdlet: str) -> Job:
        """Begin copying a template. The machine is on its host's list a little later, and is off at the end.

        Where it fails, the machine stays as CreationFailed.
        """
        found = self.state.host(wanted.host)
        if found is None:
            raise errors.not_found("Host", wanted.host, cmdlet)
        cluster, host = found
        volume = next((it for it in cluster.volumes if it.path == wanted.path), None)
        if volume is None:
            raise errors.bad_path(wanted.path, host.name, cmdlet)
        if not host.responding:
            raise errors.host_unreachable(host.name, cmdlet)
        if host.maintenance or wanted.processors > host.processors:
            raise errors.no_suitable_host(cmdlet)
        full = self.state.free_gb(cluster, volume) < wanted.template.boot_disk_gb
        machine = self._new(wanted)
        no_space = errors.no_space(host.name, volume.path)
        return self._begin(
            cmdlet, machine, self.state.timing.create, "CreationFailed", "PowerOff", no_space, lambda: full
        )

    def adjust(self, machine: Machine, group: str, cmdlet: str) -> Job:
        """Begin the changes of a job group, all in one job."""
        self._free(machine, cmdlet)
        changes = self.state.groups.pop(group, [])

        def apply() -> None:
            for change in changes:
                change()

        no_space = errors.no_space(machine.host, machine.path)
        return self._begin(
            cmdlet, machine, self.state.timing.adjust, machine.status, machine.status, no_space, lambda: False, apply
        )

    def add(self, machine: Machine, group: str, cmdlet: str, change: Callable[[], None]) -> None:
        """Let a change of a machine that is off wait for the last command of its job group."""
        self._free(machine, cmdlet)
        if machine.status != "PowerOff":
            raise errors.not_off(cmdlet)
        self.state.groups.setdefault(group, []).append(change)

    def start(self, machine: Machine, cmdlet: str) -> Job:
        """Begin starting a machine that is off; where its host has not the memory, it is off again."""
        self._in_state(machine, {"PowerOff"}, cmdlet)
        machine.status = "Starting"
        no_memory = errors.no_memory(machine.host, machine.name)

        def is_full() -> bool:
            found = self.state.host(machine.host)
            return found is None or self.state.free_memory_mb(found[1]) < 0

        return self._begin(cmdlet, machine, self.state.timing.start, "PowerOff", "Running", no_memory, is_full)

    def stop(self, machine: Machine, cmdlet: str) -> Job:
        """Begin turning off a machine that runs."""
        self._in_state(machine, {"Running", "Paused"}, cmdlet)
        before, machine.status = machine.status, "PoweringOff"
        return self._begin(cmdlet, machine, self.state.timing.stop, before, "PowerOff", None, lambda: False)

    def remove(self, machine: Machine, cmdlet: str) -> Job:
        """Begin removing a machine that is off, or that never came to be."""
        self._in_state(machine, {"PowerOff", "CreationFailed", "Saved", "Missing"}, cmdlet)
        before, machine.status = machine.status, "Deleting"

        def forget() -> None:
            self.state.machines.pop(machine.id, None)

        timing = self.state.timing.remove
        return self._begin(cmdlet, machine, timing, before, "Deleting", None, lambda: False, forget)

    def _new(self, wanted: Wanted) -> Machine:
        machine = Machine(
            id=self.state.next_id(),
            name=wanted.name,
            description=wanted.description,
            host=wanted.host,
            path=wanted.path,
            processors=wanted.processors,
            memory_mb=wanted.memory_mb,
            boot_disk_gb=wanted.template.boot_disk_gb,
            network=wanted.template.network,
            created_at=self.now,
            listed_at=self.now + self.state.timing.create_listed,
            status="UnderCreation",
        )
        self.state.machines[machine.id] = machine
        return machine

    def _begin(
        self,
        cmdlet: str,
        machine: Machine,
        seconds: float,
        broken: str,
        done: str,
        when_full: Problem | None,
        is_full: Callable[[], bool],
        apply: Callable[[], None] = lambda: None,
    ) -> Job:
        """Begin a job at whose end the machine's status is `done`, or else `broken`."""
        kind = self.fault.fault if self.fault and self.struck == cmdlet else None
        fails = kind in (FaultKind.FAIL, FaultKind.CAPACITY)

        def finish() -> Problem | None:
            if kind is FaultKind.FAIL:
                return errors.internal(machine.host)
            if when_full and (kind is FaultKind.CAPACITY or is_full()):
                return when_full
            apply()
            machine.status = done
            return None

        def fail() -> None:
            machine.status = broken

        delay = self.fault.delay if fails and self.fault else seconds
        return self.state.begin(cmdlet, machine, self.now, delay, finish=finish, fail=fail)

    def _in_state(self, machine: Machine, allowed: set[str], cmdlet: str) -> None:
        self._free(machine, cmdlet)
        if machine.status not in allowed:
            raise errors.wrong_state(machine.name, machine.status, cmdlet)

    def _free(self, machine: Machine, cmdlet: str) -> None:
        """Refuse a machine that a job is about, or that is gone."""
        if machine.id not in self.state.machines:
            raise errors.not_found("VM", machine.id, cmdlet)
        if machine.job is not None and not machine.job.done:
            raise errors.locked(cmdlet)
