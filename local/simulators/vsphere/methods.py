"""The methods of the API that are served, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pyVmomi import vim, vmodl

from local.simulators.faults import Fault
from local.simulators.vsphere import machines
from local.simulators.vsphere.collector import Hidden, collect
from local.simulators.vsphere.inventory import Inventory, Machine, Thing, View
from local.simulators.vsphere.machine_properties import moment
from local.simulators.vsphere.properties import declared_type, typed, value_of
from local.simulators.vsphere.sessions import Session
from local.simulators.vsphere.soap import Call
from local.simulators.vsphere.tasks import Change, fault_of


class Context(NamedTuple):
    """What a method works with: the inventory, who calls, what reads do not see, and the fault to be played."""

    inventory: Inventory
    session: Session
    hidden: Hidden
    fault: Fault | None


def invoke(context: Context, call: Call) -> Any:
    """What a method returns; raises the fault that it is refused with."""
    if context.inventory.find(call.this) is None:
        raise _not_there(call.this)
    method = _METHODS.get(call.method)
    if method is None:
        raise vmodl.fault.NotSupported(msg=f"{call.method} is not simulated")
    return method(context, call)


def fetch(context: Context, call: Call) -> tuple[Any, Any]:
    """One property of what is called, and its declared type; raises ManagedObjectNotFound and InvalidProperty."""
    thing, path = context.inventory.find(call.this), str(call.arguments["prop"])
    if thing is None or context.hidden(thing):
        raise _not_there(call.this)
    value = value_of(context.inventory, thing, path)
    empty = isinstance(value, list) and not value
    return (None if empty else typed(thing, path, value)), declared_type(thing, path)


def _not_there(id_: str) -> Any:
    message = f"The object '{id_}' has already been deleted or has not been completely created"
    return vmodl.fault.ManagedObjectNotFound(obj=vim.ManagedEntity(id_, None), msg=message)


def _retrieve(context: Context, call: Call) -> Any:
    found = collect(context.inventory, call.arguments["specSet"], context.hidden)
    return context.session.pages.first(found, _page_size(context, call.arguments.get("options")))


def _continue(context: Context, call: Call) -> Any:
    return context.session.pages.next(call.arguments["token"])


def _cancel(context: Context, call: Call) -> None:
    context.session.pages.cancel(call.arguments["token"])


def _page_size(context: Context, options: Any) -> int:
    wanted = getattr(options, "maxObjects", None) or context.inventory.settings.page
    return int(min(wanted, context.inventory.settings.page))


def _create_view(context: Context, call: Call) -> Any:
    inventory, arguments = context.inventory, call.arguments
    container = inventory.get(Thing, arguments["container"]._GetMoId())
    kinds = tuple(arguments.get("type") or (vim.ManagedEntity,))
    within = _within(inventory, container.id, deep=arguments["recursive"])
    members = [it.id for it in within if issubclass(it.kind, kinds) and not context.hidden(it)]
    view = View(inventory.new_id("session-view"), vim.view.ContainerView, members=members)
    return inventory.add(view).ref()


def _within(inventory: Inventory, container: str, deep: bool) -> list[Thing]:
    found = inventory.children(container)
    if deep:
        found += [it for child in list(found) for it in _within(inventory, child.id, deep)]
    return found


def _destroy_view(context: Context, call: Call) -> None:
    context.inventory.drop(context.inventory.get(View, call.this))


def _find_by_uuid(context: Context, call: Call) -> Any:
    wanted = call.arguments["uuid"].lower()
    found = (it for it in context.inventory.all(Machine) if it.finished and it.uuid == wanted)
    return next((it.ref() for it in found if not context.hidden(it)), None)


def _find_child(context: Context, call: Call) -> Any:
    children = context.inventory.children(call.arguments["entity"]._GetMoId())
    found = (it for it in children if it.name == call.arguments["name"] and not context.hidden(it))
    return next((it.ref() for it in found), None)


def _change(context: Context, call: Call) -> Change:
    fault, delay = fault_of(call.method, context.fault)
    return Change(context.session.user, call.header.get("activationId"), fault, delay)


def _machine(context: Context, call: Call) -> Machine:
    return context.inventory.get(Machine, call.this)


_METHODS: Final[Mapping[str, Callable[[Context, Call], Any]]] = {
    "CurrentTime": lambda context, _: moment(context.inventory.now),
    "RetrievePropertiesEx": _retrieve,
    "ContinueRetrievePropertiesEx": _continue,
    "CancelRetrievePropertiesEx": _cancel,
    "CreateContainerView": _create_view,
    "DestroyView": _destroy_view,
    "FindByUuid": _find_by_uuid,
    "FindChild": _find_child,
    "CloneVM_Task": lambda context, call: machines.clone(
        context.inventory, _machine(context, call), call.arguments, _change(context, call)
    ).ref(),
    "ReconfigVM_Task": lambda context, call: machines.reconfigure(
        context.inventory, _machine(context, call), call.arguments, _change(context, call)
    ).ref(),
    "PowerOnVM_Task": lambda context, call: machines.power_on(
        context.inventory, _machine(context, call), _change(context, call)
    ).ref(),
    "PowerOffVM_Task": lambda context, call: machines.power_off(
        context.inventory, _machine(context, call), _change(context, call)
    ).ref(),
    "Destroy_Task": lambda context, call: machines.destroy(
        context.inventory, _machine(context, call), _change(context, call)
    ).ref(),
}
