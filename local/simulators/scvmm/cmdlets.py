"""VMM's cmdlets: which parameters each has, and what it does with them. What is not here is no cmdlet."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from local.simulators.faults import FaultKind
from local.simulators.scvmm import errors
from local.simulators.scvmm.changes import Changes, Wanted
from local.simulators.scvmm.estate import Cluster, Host, Template
from local.simulators.scvmm.powershell import CmdletError, Interpreter, Thing
from local.simulators.scvmm.state import Job, Machine
from local.simulators.scvmm.things import (
    cluster_thing,
    host_thing,
    job_thing,
    machine_thing,
    network_thing,
    server_thing,
    template_thing,
)

SWITCH: Final = "SwitchParameter"
TEXT: Final = "String"
NUMBER: Final = "Int32"
TRUTH: Final = "Boolean"
GUID: Final = "Guid"
SERVER: Final = "ServerConnection"

Arguments = Mapping[str, Any]
T = TypeVar("T")


class Cmdlet(NamedTuple):
    """A cmdlet: the types of its parameters by lower-case name, those it cannot do without, and what it does."""

    parameters: Mapping[str, str]
    mandatory: frozenset[str]
    act: Callable[[Session, Arguments], Iterable[Any]]


class Session:
    """One script's access to VMM at one moment."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.state = changes.state
        self.interpreter = Interpreter(self._run, _is_switch)
        fault = changes.fault
        self._hidden = fault.delay if fault and fault.fault is FaultKind.STALE else None

    def shown(self, created_at: float) -> bool:
        """Whether a read that may be stale shows what was created at a moment."""
        return self._hidden is None or created_at + self._hidden <= self.changes.now

    def begun(self, job: Job, given: Arguments) -> None:
        """Put a job into the variable that was asked for."""
        if given.get("jobvariable"):
            self.interpreter.set(given["jobvariable"], job_thing(job))

    def _run(self, name: str, arguments: Sequence[tuple[str | None, Any]], piped: list[Any]) -> Iterable[Any]:
        found = _CMDLETS.get(name.lower())
        if found is None:
            message = f"The term '{name}' is not recognized as the name of a cmdlet, function or script file."
            raise CmdletError("CommandNotFoundException", message, "CommandNotFoundException")
        if piped:
            raise _binding("InputObjectNotBound", name, "The input object cannot be bound to any parameters.")
        return found.act(self, _bound(name, found, arguments))


def _is_switch(cmdlet: str, parameter: str) -> bool:
    found = _CMDLETS.get(cmdlet.lower())
    return found is not None and found.parameters.get(parameter) == SWITCH


def _binding(error_id: str, cmdlet: str, message: str) -> CmdletError:
    full_id = f"{error_id},Microsoft.SystemCenter.VirtualMachineManager.Cmdlets.{cmdlet.replace('-SC', '')}Cmdlet"
    return CmdletError(full_id, message, "ParameterBindingException")


def _bound(name: str, cmdlet: Cmdlet, arguments: Sequence[tuple[str | None, Any]]) -> Arguments:
    """The arguments by parameter, converted to its type, as PowerShell's binder does or refuses."""
    given: dict[str, Any] = {}
    for parameter, value in arguments:
        if parameter is None:
            raise _binding("PositionalParameterNotFound", name, "A positional parameter cannot be found.")
        if parameter not in cmdlet.parameters:
            message = f"A parameter cannot be found that matches parameter name '{parameter}'."
            raise _binding("NamedParameterNotFound", name, message)
        given[parameter] = _converted(name, parameter, cmdlet.parameters[parameter], value)
    if missing := sorted(cmdlet.mandatory - given.keys()):
        raise _binding("MissingMandatoryParameter", name, f"Missing mandatory parameters: {', '.join(missing)}.")
    return given


def _converted(name: str, parameter: str, kind: str, value: Any) -> Any:
    try:
        match kind:
            case "SwitchParameter" | "Boolean":
                if not isinstance(value, bool):
                    raise ValueError
                return value
            case "String":
                return "" if value is None else str(value)
            case "Int32":
                return int(value)
            case "Guid":
                return str(uuid.UUID(str(value)))
            case _:
                if value is None:
                    raise _binding(
                        "ParameterArgumentValidationErrorNullNotAllowed",
                        name,
                        f"Cannot validate argument on parameter '{parameter}'. The argument is null or empty.",
                    )
                if not isinstance(value, Thing) or value.type_name.rpartition(".")[2] != kind:
                    raise ValueError
                return value
    except (ValueError, TypeError):
        message = f"Cannot bind parameter '{parameter}'. Cannot convert value to type {kind}."
        raise _binding("CannotConvertArgumentNoMessage", name, message) from None


def _get_server(session: Session, given: Arguments) -> Iterable[Thing]:
    yield server_thing()


def _get_cluster(session: Session, given: Arguments) -> Iterable[Thing]:
    for cluster in session.state.estate.clusters:
        if _matches(given, "name", cluster.name):
            yield cluster_thing(session.state, cluster)


def _get_host(session: Session, given: Arguments) -> Iterable[Thing]:
    wanted = _subject(given, "vmhostcluster", Cluster)
    for cluster, host in session.state.hosts():
        if (wanted is None or cluster.name == wanted.name) and _matches(given, "computername", host.name):
            yield host_thing(session.state, cluster, host)


def _get_template(session: Session, given: Arguments) -> Iterable[Thing]:
    return [template_thing(it) for it in session.state.estate.templates if _matches(given, "name", it.name)]


def _get_network(session: Session, given: Arguments) -> Iterable[Thing]:
    return [network_thing(it) for it in session.state.estate.networks if _matches(given, "name", it)]


def _get_machine(session: Session, given: Arguments) -> Iterable[Thing]:
    host = _subject(given, "vmhost", Host)
    found = [
        it
        for it in session.state.machines.values()
        if it.listed_at <= session.changes.now
        and session.shown(it.created_at)
        and _matches(given, "name", it.name)
        and _matches(given, "id", it.id)
        and (host is None or it.host == host.name)
    ]
    if "id" in given and not found:
        raise errors.not_found("VM", given["id"], "Get-SCVirtualMachine")
    return [machine_thing(it) for it in found]


def _get_job(session: Session, given: Arguments) -> Iterable[Thing]:
    found = [
        it
        for it in session.state.jobs.values()
        if session.shown(it.created_at) and _matches(given, "id", it.id) and not (given.get("running") and it.done)
    ]
    if "id" in given and not found:
        raise errors.not_found("Task", given["id"], "Get-SCJob")
    return [job_thing(it) for it in found]


def _new_machine(session: Session, given: Arguments) -> Iterable[Thing]:
    template, host = _subject(given, "vmtemplate", Template), _subject(given, "vmhost", Host)
    assert template is not None and host is not None  # noqa: S101, PT018 -- both are mandatory
    wanted = Wanted(
        given["name"], given.get("description", ""), template, host.name, given["path"],
        given.get("cpucount", 1), given.get("memorymb", 1024),
    )  # fmt: skip
    job = session.changes.create(wanted, "New-SCVirtualMachine")
    session.begun(job, given)
    yield machine_thing(job.machine)


def _set_adapter(session: Session, given: Arguments) -> Iterable[Thing]:
    machine = _machine(given, "virtualnetworkadapter")
    network = str(given["vmnetwork"].subject)

    def connect() -> None:
        machine.network = network

    session.changes.add(machine, given["jobgroup"], "Set-SCVirtualNetworkAdapter", connect)
    yield given["virtualnetworkadapter"]


def _expand_disk(session: Session, given: Arguments) -> Iterable[Thing]:
    machine = _machine(given, "virtualdiskdrive")
    size_gb = given["virtualharddisksizegb"]

    def grow() -> None:
        machine.boot_disk_gb = max(machine.boot_disk_gb, size_gb)

    session.changes.add(machine, given["jobgroup"], "Expand-SCVirtualDiskDrive", grow)
    yield given["virtualdiskdrive"]


def _set_machine(session: Session, given: Arguments) -> Iterable[Thing]:
    job = session.changes.adjust(_machine(given, "vm"), given["jobgroup"], "Set-SCVirtualMachine")
    session.begun(job, given)
    yield machine_thing(job.machine)


def _changing(begin: Callable[[Changes, Machine], Job]) -> Callable[[Session, Arguments], Iterable[Thing]]:
    def act(session: Session, given: Arguments) -> Iterable[Thing]:
        job = begin(session.changes, _machine(given, "vm"))
        session.begun(job, given)
        yield machine_thing(job.machine)

    return act


def _machine(given: Arguments, parameter: str) -> Machine:
    machine = _subject(given, parameter, Machine)
    assert machine is not None  # noqa: S101 -- the parameter is mandatory
    return machine


def _subject(given: Arguments, parameter: str, kind: type[T]) -> T | None:
    thing = given.get(parameter)
    return thing.subject if thing is not None and isinstance(thing.subject, kind) else None


def _matches(given: Arguments, parameter: str, value: str) -> bool:
    return parameter not in given or given[parameter].lower() == value.lower()


_ASYNCHRONOUS: Final = {"runasynchronously": SWITCH, "jobvariable": TEXT}
_READ: Final = {"vmmserver": SERVER}

_CMDLETS: Final[Mapping[str, Cmdlet]] = {
    "get-scvmmserver": Cmdlet({"computername": TEXT}, frozenset({"computername"}), _get_server),
    "get-scvmhostcluster": Cmdlet({**_READ, "name": TEXT}, frozenset(), _get_cluster),
    "get-scvmhost": Cmdlet({**_READ, "computername": TEXT, "vmhostcluster": "HostCluster"}, frozenset(), _get_host),
    "get-scvmtemplate": Cmdlet({**_READ, "name": TEXT}, frozenset(), _get_template),
    "get-scvmnetwork": Cmdlet({**_READ, "name": TEXT}, frozenset(), _get_network),
    "get-scvirtualmachine": Cmdlet({**_READ, "name": TEXT, "id": GUID, "vmhost": "Host"}, frozenset(), _get_machine),
    "get-scjob": Cmdlet({**_READ, "id": GUID, "running": SWITCH}, frozenset(), _get_job),
    "new-scvirtualmachine": Cmdlet(
        {
            **_READ,
            **_ASYNCHRONOUS,
            "name": TEXT,
            "vmtemplate": "Template",
            "vmhost": "Host",
            "path": TEXT,
            "description": TEXT,
            "cpucount": NUMBER,
            "memorymb": NUMBER,
            "dynamicmemoryenabled": TRUTH,
            "highlyavailable": TRUTH,
        },
        frozenset({"name", "vmtemplate", "vmhost", "path"}),
        _new_machine,
    ),
    "set-scvirtualnetworkadapter": Cmdlet(
        {"virtualnetworkadapter": "VirtualNetworkAdapter", "vmnetwork": "VMNetwork", "jobgroup": GUID},
        frozenset({"virtualnetworkadapter", "vmnetwork", "jobgroup"}),
        _set_adapter,
    ),
    "expand-scvirtualdiskdrive": Cmdlet(
        {"virtualdiskdrive": "VirtualDiskDrive", "virtualharddisksizegb": NUMBER, "jobgroup": GUID},
        frozenset({"virtualdiskdrive", "virtualharddisksizegb", "jobgroup"}),
        _expand_disk,
    ),
    "set-scvirtualmachine": Cmdlet(
        {**_ASYNCHRONOUS, "vm": "VM", "jobgroup": GUID}, frozenset({"vm", "jobgroup"}), _set_machine
    ),
    "start-scvirtualmachine": Cmdlet(
        {**_ASYNCHRONOUS, "vm": "VM"},
        frozenset({"vm"}),
        _changing(lambda changes, machine: changes.start(machine, "Start-SCVirtualMachine")),
    ),
    "stop-scvirtualmachine": Cmdlet(
        {**_ASYNCHRONOUS, "vm": "VM", "force": SWITCH},
        frozenset({"vm"}),
        _changing(lambda changes, machine: changes.stop(machine, "Stop-SCVirtualMachine")),
    ),
    "remove-scvirtualmachine": Cmdlet(
        {**_ASYNCHRONOUS, "vm": "VM"},
        frozenset({"vm"}),
        _changing(lambda changes, machine: changes.remove(machine, "Remove-SCVirtualMachine")),
    ),
}
