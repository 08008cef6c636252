"""System Center VMM as a provider: virtual machines on Hyper-V clusters.

VMM lets two machines have the same name, and recognises no repeated request. So a machine is looked for by name, by
mark and among the running jobs before it is created, and once more by the script that creates it; what is there is
adopted. A handle is a job's id; where VMM does not know it, the machine itself tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from lambdas.adapters.clock import SystemClock
from lambdas.adapters.secrets import Secrets
from lambdas.core.clusters import ClusterSettings
from lambdas.core.errors import RetryableError, TerminalError
from lambdas.core.model import Intent
from lambdas.core.ports.clock import Clock
from lambdas.core.ports.provider import Observation, Survey
from lambdas.core.specs.private import PrivateInstance
from lambdas.scvmm.clients import VmmServers
from lambdas.scvmm.jobs import CREATING
from lambdas.scvmm.machines import (
    CREATION_FAILED,
    DELETING,
    GONE_WRONG,
    IN_TRANSITION,
    OFF,
    RUNNING,
    TURNED_ON,
    UNDER_CREATION,
    Machine,
    Sight,
)
from lambdas.scvmm.settings import ScvmmSettings
from lambdas.scvmm.vmm import KEEP, Vmm

MACHINE: Final = "machine"
HARDWARE: Final = "hardware"
POWER: Final = "power"


class ScvmmProvider:
    """Host clusters, by the name that the deployment gave each, on whichever VMM servers manage them."""

    def __init__(
        self, clusters: Mapping[str, ClusterSettings], servers: VmmServers, settings: ScvmmSettings, clock: Clock
    ) -> None:
        self._clusters = clusters
        self._servers = servers
        self._settings = settings
        self._clock = clock

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], clusters: Mapping[str, ClusterSettings], secrets: Secrets
    ) -> Self:
        """The provider of some clusters, as patient as the environment says."""
        settings = ScvmmSettings.from_environment(environ)
        return cls(clusters, VmmServers(secrets, settings), settings, SystemClock())

    @property
    def settling_seconds(self) -> float:
        """How long something must stay unfound before it counts as gone."""
        return self._settings.settling_seconds

    @property
    def repeat_seconds(self) -> float:
        """How long a create whose answer never came may still be on its way."""
        return self._settings.repeat_seconds

    def parts(self, intent: Intent) -> tuple[str, ...]:
        """A machine is cloned, then adjusted while it is off (a disk can be grown only then), then started."""
        return (MACHINE, HARDWARE, POWER)

    def create(self, intent: Intent, part: str) -> str:
        """Begin the next part; the handle is a job's id, or "" where nothing had to be begun."""
        cluster, vmm = self._cluster(intent.cluster)
        sight = vmm.look(intent, thorough=True)
        match part:
            case "machine":
                return _create_machine(vmm, cluster, intent, sight)
            case "hardware":
                return _create_hardware(vmm, cluster, intent, _settled(sight, intent))
            case _:
                return _create_power(vmm, intent, _settled(sight, intent))

    def observe(self, intent: Intent, part: str) -> Observation:
        """Look once at the job and, when it is done or unknown, at the machine."""
        cluster, vmm = self._cluster(intent.cluster)
        handle = intent.operations.get(part)
        job = vmm.job(handle) if handle else None
        if job is not None and job.failure is not None:
            raise job.failure
        if job is not None and job.running:
            return Observation(ready=False)
        sight = vmm.look(intent, thorough=False)
        seen = _the_machine(sight, intent)
        if seen is None:
            return Observation(ready=False)
        if seen.status in GONE_WRONG:
            raise TerminalError(seen.status, f"{intent.name} was created but did not stay")
        return Observation(_is_ready(part, seen, cluster, intent), seen.id)

    def delete(self, intent: Intent) -> None:
        """Begin turning off what runs, and removing what is off; what is about to change is left for next time."""
        _, vmm = self._cluster(intent.cluster)
        for machine in vmm.look(intent, thorough=True).ours(intent):
            if machine.busy or machine.status in IN_TRANSITION:
                continue
            if machine.status in TURNED_ON:
                vmm.stop(intent, machine)
            else:
                vmm.remove(intent, machine)

    def find(self, intent: Intent) -> list[str]:
        """The ids of the machines that are ours, and of jobs about our name that have no machine to show yet."""
        _, vmm = self._cluster(intent.cluster)
        sight = vmm.look(intent, thorough=True)
        return [machine.id for machine in sight.ours(intent)] + [f"job/{job.id}" for job in sight.unseen]

    def survey(self, cluster: str) -> Survey:
        """Look at one cluster, by the name that the deployment gave it."""
        settings, vmm = self._cluster(cluster)
        return vmm.survey(settings.cluster, self._clock.now())

    def _cluster(self, name: str | None) -> tuple[ClusterSettings, Vmm]:
        settings = self._clusters.get(name or "")
        if settings is None:
            raise TerminalError("UnknownCluster", f"no cluster {name!r} is declared here")
        return settings, Vmm(self._servers.shells(settings.server, settings.secret))


def _create_machine(vmm: Vmm, cluster: ClusterSettings, intent: Intent, sight: Sight) -> str:
    adopted = _adopted(vmm, intent, sight)
    if adopted is not None:
        return adopted
    definition = _definition(intent)
    place = vmm.place(cluster.cluster, definition, _network(definition, cluster))
    job = vmm.create(intent, definition, place)
    if job is None:
        raise RetryableError("NameTaken", f"something of the name {intent.name} came up just now")
    return job.id


def _adopted(vmm: Vmm, intent: Intent, sight: Sight) -> str | None:
    """The handle of what was begun before; None where there is nothing, and an error where it is not ours.

    What an earlier attempt left behind is removed first.
    """
    ours = sight.ours(intent)
    for machine in ours:
        if machine.status == UNDER_CREATION:
            return machine.task
        if machine.status not in GONE_WRONG:
            return ""
    for machine in ours:
        if machine.status in CREATION_FAILED and not machine.busy:
            vmm.remove(intent, machine)
    if any(machine.status in CREATION_FAILED | {DELETING} for machine in ours):
        raise RetryableError("LeftBehind", f"what an earlier attempt left of {intent.name} is being removed")
    if ours:
        raise TerminalError(ours[0].status, f"{intent.name} is there and cannot be used")
    if sight.strangers(intent):
        raise TerminalError("NameTaken", f"{intent.name} is somebody else's")
    return _adopted_job(intent, sight)


def _adopted_job(intent: Intent, sight: Sight) -> str | None:
    """The creation that has no machine to show yet; what else is about our name has to end first."""
    for job in sight.unseen:
        if job.cmdlet != CREATING:
            raise RetryableError("Busy", f"a job about {intent.name} is running")
        return job.id
    return None


def _create_hardware(vmm: Vmm, cluster: ClusterSettings, intent: Intent, machine: Machine) -> str:
    definition = _definition(intent)
    disk_gb = definition.placement.disk_gb if machine.boot_disk_gb < definition.placement.disk_gb else KEEP
    network = _network(definition, cluster)
    if disk_gb == KEEP and machine.network == (network or machine.network):
        return ""
    if machine.status != OFF:
        raise TerminalError(machine.status, f"{intent.name} was started before its disk and network were set")
    job = vmm.adjust(intent, machine, disk_gb, "" if machine.network == network else network)
    return job.id if job else ""


def _create_power(vmm: Vmm, intent: Intent, machine: Machine) -> str:
    if machine.status != OFF:
        return ""
    job = vmm.start(intent, machine)
    return job.id if job else ""


def _settled(sight: Sight, intent: Intent) -> Machine:
    """The machine, which exists by now and which no job is about: not even one whose answer was lost."""
    machine = _the_machine(sight, intent)
    if machine is None:
        raise RetryableError("NotSeen", f"{intent.name} exists but cannot be seen yet")
    if machine.status in GONE_WRONG:
        raise TerminalError(machine.status, f"{intent.name} was created but did not stay")
    if machine.busy:
        raise RetryableError("Busy", f"a job about {intent.name} is running")
    return machine


def _the_machine(sight: Sight, intent: Intent) -> Machine | None:
    """Our machine; one that has come to nothing only where there is no other."""
    ours = sight.ours(intent)
    return next((it for it in ours if it.status not in GONE_WRONG), ours[0] if ours else None)


def _is_ready(part: str, machine: Machine, cluster: ClusterSettings, intent: Intent) -> bool:
    match part:
        case "machine":
            return machine.status != UNDER_CREATION
        case "hardware":
            definition = _definition(intent)
            network = _network(definition, cluster)
            return machine.boot_disk_gb >= definition.placement.disk_gb and machine.network == (
                network or machine.network
            )
        case _:
            return machine.status == RUNNING


def _definition(intent: Intent) -> PrivateInstance:
    if not isinstance(intent.definition, PrivateInstance):
        raise TerminalError("WrongProvider", f"{intent.resource_id} is not a resource of System Center VMM")
    return intent.definition


def _network(definition: PrivateInstance, cluster: ClusterSettings) -> str:
    """The network that it is to be on; "" for whatever the template is on."""
    return definition.spec.network or cluster.network
