"""All that the simulated VMM server knows, brought up to the moment whenever somebody asks."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from local.simulators.scvmm.errors import Problem
from local.simulators.scvmm.estate import Cluster, Estate, Host, Template, Volume
from local.simulators.scvmm.settings import ScvmmTiming

_OCCUPYING: Final = frozenset({"Running", "Starting", "PoweringOff", "Paused"})
_IDS: Final = uuid.UUID("5f0c1c53-9f0e-4b61-9a55-6a1d3f6f4a10")


@dataclass
class Machine:
    """A virtual machine; moments are Unix seconds, and it is listed from `listed_at` on. `job` concerned it last."""

    id: str
    name: str
    description: str
    host: str
    path: str
    processors: int
    memory_mb: int
    boot_disk_gb: int
    network: str
    created_at: float
    listed_at: float
    status: str
    job: Job | None = None


@dataclass
class Job:
    """A job, which runs until `ends_at` and then has succeeded, or failed with a problem."""

    id: str
    cmdlet: str
    machine: Machine
    created_at: float
    ends_at: float
    problem: Problem | None = None
    done: bool = False

    @property
    def status(self) -> str:
        """Its status in VMM's words."""
        if not self.done:
            return "Running"
        return "Failed" if self.problem else "Completed"


@dataclass
class State:
    """Every machine and job by id, and what will become of them; `groups` are changes that wait for their last one."""

    estate: Estate
    timing: ScvmmTiming
    machines: dict[str, Machine] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    groups: dict[str, list[Callable[[], None]]] = field(default_factory=dict)
    _effects: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        for cluster in self.estate.clusters:
            for it in cluster.foreign:
                path, network = cluster.volumes[0].path, self.estate.networks[0]
                machine = Machine(
                    self.next_id(), it.name, it.description, it.host, path, it.processors, it.memory_mb, it.disk_gb,
                    network, 0.0, 0.0, "Running",
                )  # fmt: skip
                self.machines[machine.id] = machine

    def settle(self, now: float) -> None:
        """Let everything that has become due by `now` happen, in order."""
        while self._effects and self._effects[0][0] <= now:
            heapq.heappop(self._effects)[2]()

    def next_id(self) -> str:
        """A GUID that nothing else has, the same in every run."""
        self._count += 1
        return str(uuid.uuid5(_IDS, str(self._count)))

    def begin(
        self,
        cmdlet: str,
        machine: Machine,
        now: float,
        seconds: float,
        *,
        finish: Callable[[], Problem | None],
        fail: Callable[[], None],
    ) -> Job:
        """Begin a job that is done after some seconds: by `finish` or, where that says a problem, by `fail`."""
        job = Job(self.next_id(), cmdlet, machine, now, now + seconds)
        self.jobs[job.id] = job
        machine.job = job

        def end() -> None:
            job.done = True
            job.problem = finish()
            if job.problem:
                fail()

        self._count += 1
        heapq.heappush(self._effects, (job.ends_at, self._count, end))
        return job

    def hosts(self) -> Iterator[tuple[Cluster, Host]]:
        """Every host with its cluster."""
        for cluster in self.estate.clusters:
            for host in cluster.hosts:
                yield cluster, host

    def host(self, name: str) -> tuple[Cluster, Host] | None:
        """The host of a name, with its cluster."""
        return next(((cluster, host) for cluster, host in self.hosts() if host.name.lower() == name.lower()), None)

    def cluster(self, name: str) -> Cluster | None:
        """The cluster of a name."""
        return next((it for it in self.estate.clusters if it.name.lower() == name.lower()), None)

    def template(self, name: str) -> Template | None:
        """The template of a name."""
        return next((it for it in self.estate.templates if it.name.lower() == name.lower()), None)

    def on_host(self, name: str) -> list[Machine]:
        """The machines on a host, whatever their status."""
        return [it for it in self.machines.values() if it.host == name]

    def free_memory_mb(self, host: Host) -> int:
        """What is left for machines to be started with."""
        taken = sum(it.memory_mb for it in self.on_host(host.name) if it.status in _OCCUPYING)
        return host.memory_mb - taken

    def busy_percent(self, host: Host) -> int:
        """How busy a host is: every running processor takes an eighth of a thread, and the host itself some."""
        running = sum(it.processors for it in self.on_host(host.name) if it.status == "Running")
        return min(100, 2 + round(100 * running / 8 / host.processors))

    def free_gb(self, cluster: Cluster, volume: Volume) -> int:
        """What is left on a volume when every disk has grown to its size."""
        names = {host.name for host in cluster.hosts}
        mine = [it for it in self.machines.values() if it.host in names and it.path == volume.path]
        return volume.capacity_gb - volume.used_gb - sum(it.boot_disk_gb for it in mine)
