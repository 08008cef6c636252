"""Virtual machines as VMM shows them, and whose they are."""

from __future__ import annotations

from typing import Final, NamedTuple

from lambdas.core.marks import annotation, marks_of
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, Intent
from lambdas.scvmm.clients import Record
from lambdas.scvmm.jobs import Job, may_change

GIB: Final = 2**30

RUNNING: Final = "Running"
OFF: Final = "PowerOff"
UNDER_CREATION: Final = "UnderCreation"
DELETING: Final = "Deleting"
CREATION_FAILED: Final = frozenset({"CreationFailed", "CustomizationFailed"})
GONE_WRONG: Final = CREATION_FAILED | {DELETING, "Missing", "UpdateFailed", "IncompleteVMConfig"}
"""What a machine that was created does not come back from by itself."""

TURNED_ON: Final = frozenset({RUNNING, "Paused"})
"""What has to be turned off before it can be removed."""

IN_TRANSITION: Final = frozenset(
    {
        UNDER_CREATION,
        DELETING,
        "CreatingCheckpoint",
        "DeletingCheckpoint",
        "DiscardSavedState",
        "HostNotResponding",
        "MergingDrives",
        "Pausing",
        "PoweringOff",
        "RecoveringCheckpoint",
        "Restoring",
        "Saving",
        "Starting",
        "UnderMigration",
        "UnderUpdate",
    }
)
"""What cannot be stopped or removed now. The names are those of VMM's VMComputerSystemState."""


class Machine(NamedTuple):
    """A virtual machine; `task` is the job that concerned it last, and `busy` whether that may still change it."""

    id: str
    name: str
    status: str
    description: str
    boot_disk_gb: float
    network: str
    task: str
    busy: bool


class Sight(NamedTuple):
    """What was seen of an intent: machines of its name or mark, and the jobs that run about its name."""

    machines: list[Machine]
    jobs: list[Job]

    def ours(self, intent: Intent) -> list[Machine]:
        """The machines that carry the intent's marks, in an order that does not change."""
        return sorted(it for it in self.machines if is_ours(it.description, intent))

    def strangers(self, intent: Intent) -> list[Machine]:
        """The machines that have the intent's name and not its marks."""
        return [it for it in self.machines if it.name == intent.name and not is_ours(it.description, intent)]

    @property
    def unseen(self) -> list[Job]:
        """The jobs that no machine in sight is to show for."""
        shown = {it.task for it in self.machines}
        return [it for it in self.jobs if it.running and it.id not in shown]


def machine(record: Record) -> Machine:
    """The machine that a script said."""
    return Machine(
        id=str(record["Id"]),
        name=str(record["Name"]),
        status=str(record["Status"]),
        description=str(record["Description"] or ""),
        boot_disk_gb=int(record["BootDiskBytes"] or 0) / GIB,
        network=str(record["Network"] or ""),
        task=str(record["Task"] or ""),
        busy=bool(record["TaskStatus"]) and may_change(str(record["TaskStatus"])),
    )


def is_ours(description: str, intent: Intent) -> bool:
    """Whether a machine's description says that it is the intent's."""
    marks = marks_of(description)
    return (marks.get(MARK_SAGA), marks.get(MARK_RESOURCE)) == (intent.saga_id, intent.resource_id)


def pattern(intent: Intent) -> str:
    """What every description with the saga's mark is like; ids have no character that -like would read as anything."""
    return f"*{annotation({MARK_SAGA: intent.saga_id})}*"
