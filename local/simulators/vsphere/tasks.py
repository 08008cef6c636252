"""What is begun and ends later: tasks, how they may be made to fail, and how long they are remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from pyVmomi import vim, vmodl

from local.simulators.faults import Fault, FaultKind
from local.simulators.vsphere.inventory import Inventory, Machine, Task


class Change(NamedTuple):
    """How a call that changes something came: by whom, with which token, and the fault that it is to end with."""

    user: str
    activation_id: str | None
    fault: Any = None
    delay: float = 0.0


class Work(NamedTuple):
    """What a task does: `queued` seconds of waiting, then `begin`, then `seconds` later `end`, whose value it returns.

    Either may raise a fault, which is what the task ends with; `undo` is called where it ends so after it began.
    """

    end: Callable[[], Any]
    seconds: float
    begin: Callable[[], object] = lambda: None
    undo: Callable[[], object] = lambda: None
    queued: float = 0.0


def begin(inventory: Inventory, description: str, entity: Machine, change: Change, work: Work) -> Task:
    """Begin a task on a machine; a change that is to fail does so after its delay, without any effect."""
    now = inventory.now
    task = Task(
        inventory.new_id("task"),
        vim.Task,
        created_at=now,
        description=description,
        entity=entity.id,
        entity_name=entity.name,
        user=change.user,
        activation_id=change.activation_id if inventory.settings.keeps_activation_ids else None,
        started_at=now + work.queued,
        done_at=now + work.queued + work.seconds,
    )
    inventory.add(task)
    if change.fault is not None:
        task.started_at, task.done_at, task.fault = now, now + change.delay, change.fault
    else:
        inventory.at(task.started_at, lambda: _start(inventory, task, work))
    inventory.at(task.done_at + inventory.settings.tasks_kept, lambda: inventory.drop(task))
    return task


def fault_of(operation: str, fault: Fault | None) -> tuple[Any, float]:
    """The fault that an accepted call is to end with, and after how long."""
    match fault.fault if fault else None:
        case FaultKind.FAIL:
            return vmodl.fault.SystemError(reason="simulated", msg="A general system error occurred."), _delay(fault)
        case FaultKind.CAPACITY if operation == "ReconfigVM_Task":
            return vim.fault.NoDiskSpace(file="disk.vmdk", datastore="full", msg="No space left."), _delay(fault)
        case FaultKind.CAPACITY if operation in ("CloneVM_Task", "PowerOnVM_Task"):
            return too_little_memory(0, 0), _delay(fault)
        case _:
            return None, 0.0


def too_little_memory(left_mb: int, wanted_mb: int) -> Any:
    """The fault of a host that has no room."""
    message = "The host does not have sufficient memory resources to satisfy the reservation."
    return vim.fault.InsufficientMemoryResourcesFault(
        unreserved=max(left_mb, 0) << 20, requested=wanted_mb << 20, msg=message
    )


def _delay(fault: Fault | None) -> float:
    return fault.delay if fault else 0.0


def _start(inventory: Inventory, task: Task, work: Work) -> None:
    try:
        work.begin()
    except vmodl.MethodFault as fault:
        task.fault, task.done_at = fault, inventory.now
    else:
        inventory.at(task.done_at, lambda: _finish(task, work))


def _finish(task: Task, work: Work) -> None:
    try:
        task.result = work.end()
    except vmodl.MethodFault as fault:
        task.fault = fault
        work.undo()
