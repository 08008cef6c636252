"""One VMM server, as far as it is needed: each method runs one script and says what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from lambdas.adapters.observability import cloud_answered
from lambdas.core.errors import StepError
from lambdas.core.marks import annotation
from lambdas.core.model import Intent
from lambdas.core.ports.provider import Survey
from lambdas.core.specs.private import PrivateInstance
from lambdas.scvmm import scripts
from lambdas.scvmm.clients import Record, VmmShells
from lambdas.scvmm.errors import DELETED_LATER_CODES
from lambdas.scvmm.jobs import Job, find_job, job
from lambdas.scvmm.machines import Machine, Sight, machine, pattern
from lambdas.scvmm.placing import Place, choose, places
from lambdas.scvmm.survey import survey

KEEP: Final = 0
"""Instead of a size: the disk stays as large as it is."""


class Vmm:
    """A VMM server's machines and jobs. Nothing waits: what is begun is a Job."""

    def __init__(self, shells: VmmShells) -> None:
        self._shells = shells

    def look(self, intent: Intent, *, thorough: bool) -> Sight:
        """What there is of an intent; `thorough` also finds what carries its mark and some other name."""
        found = self._shells.run(scripts.LOOK, Name=intent.name, Pattern=pattern(intent), Thorough=thorough)
        return Sight(
            [machine(record) for record in found if record["Kind"] == "machine"],
            [job(record) for record in found if record["Kind"] == "job"],
        )

    def job(self, job_id: str) -> Job | None:
        """The job of that id, unless it is not known (any more)."""
        return find_job(self._shells, job_id)

    def place(self, cluster: str, definition: PrivateInstance, network: str) -> Place:
        """Where in the cluster a machine goes now; raises CapacityError where it is full."""
        image = definition.spec.image
        found = self._shells.run(scripts.PLACES, ClusterName=cluster, TemplateName=image, NetworkName=network)
        return choose(places(found, cluster), definition.placement, image, network)

    def create(self, intent: Intent, definition: PrivateInstance, place: Place) -> Job | None:
        """Begin creating a machine; None where something of its name has come up in the meantime."""
        placement = definition.placement
        return _begun(
            "create",
            self._shells.run(
                scripts.CREATE,
                Name=intent.name,
                TemplateName=definition.spec.image,
                HostName=place.host,
                Path=place.path,
                Description=annotation(intent.marks),
                CpuCount=placement.cpu,
                MemoryMb=placement.memory_gb * 1024,
            ),
        )

    def adjust(self, intent: Intent, target: Machine, disk_gb: int, network: str) -> Job | None:
        """Begin growing a machine's boot disk (unless KEEP) and connecting it (unless to "")."""
        return _begun(
            "adjust",
            self._shells.run(
                scripts.ADJUST,
                Id=target.id,
                Pattern=pattern(intent),
                JobGroup=str(uuid.uuid4()),
                DiskGb=disk_gb,
                NetworkName=network,
            ),
        )

    def start(self, intent: Intent, target: Machine) -> Job | None:
        """Begin starting a machine; None where it is not off (any more)."""
        return _begun("start", self._shells.run(scripts.START, Id=target.id, Pattern=pattern(intent)))

    def stop(self, intent: Intent, target: Machine) -> None:
        """Begin turning a machine off; one that is gone already, or cannot be now, is left alone."""
        with _left_for_next_time():
            _begun("stop", self._shells.run(scripts.STOP, Id=target.id, Pattern=pattern(intent)))

    def remove(self, intent: Intent, target: Machine) -> None:
        """Begin removing a machine and its files; one that is gone already, or cannot go now, is left alone."""
        with _left_for_next_time():
            _begun("remove", self._shells.run(scripts.REMOVE, Id=target.id, Pattern=pattern(intent)))

    def survey(self, cluster: str, at: datetime) -> Survey:
        """What a cluster holds, and offers."""
        return survey(self._shells.run(scripts.SURVEY, ClusterName=cluster), cluster, at)


def _begun(call: str, found: list[Record]) -> Job | None:
    """The job that was begun, if one was; its id is what VMM's own job history knows it by."""
    begun = next((job(record) for record in found if record["Kind"] == "job"), None)
    cloud_answered("scvmm", call, operation_id=begun.id if begun else None)
    return begun


@contextmanager
def _left_for_next_time() -> Iterator[None]:
    """Deletion is level-triggered: what is not there, or cannot go now, is looked at again later."""
    try:
        yield
    except StepError as error:
        if error.code not in DELETED_LATER_CODES:
            raise
