"""VMM's jobs: what was begun, and how far it is. VMM keeps them for months, and numbers what made them fail."""

from __future__ import annotations

from typing import Final, NamedTuple

from lambdas.core.errors import StepError
from lambdas.scvmm.clients import Record, VmmShells
from lambdas.scvmm.errors import NOT_FOUND, failed_job
from lambdas.scvmm.scripts import JOB

CREATING: Final = "New-SCVirtualMachine"

_BROKEN: Final = frozenset({"Failed", "Canceled"})
_FINAL: Final = _BROKEN | {"Completed", "SucceedWithInfo"}


class Job(NamedTuple):
    """A job: the cmdlet that began it, the machine's name that it is about, its status, and why it failed if it did."""

    id: str
    cmdlet: str
    about: str
    status: str
    code: str
    problem: str

    @property
    def running(self) -> bool:
        """Whether it may still change something."""
        return may_change(self.status)

    @property
    def failure(self) -> StepError | None:
        """Why it came to nothing, if it did."""
        return failed_job(self.status, self.code, self.problem) if self.status in _BROKEN else None


def may_change(status: str) -> bool:
    """Whether a job of a status may still change something: it runs, or it waits to."""
    return status not in _FINAL


def job(record: Record) -> Job:
    """The job that a script said."""
    return Job(
        str(record["Id"]),
        str(record["Cmdlet"] or ""),
        str(record["About"] or ""),
        str(record["Status"]),
        str(record["Code"] or ""),
        str(record["Problem"] or ""),
    )


def find_job(shells: VmmShells, job_id: str) -> Job | None:
    """The job of that id; None where VMM does not know it (any more)."""
    try:
        found = shells.run(JOB, Id=job_id)
    except StepError as error:
        if error.code == NOT_FOUND:
            return None
        raise
    return next((job(record) for record in found if record["Kind"] == "job"), None)
