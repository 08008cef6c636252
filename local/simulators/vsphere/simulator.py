"""The simulated vCenter as a web application: its SOAP endpoint `/sdk`, sessions, faults, answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from pyVmomi import vmodl
from werkzeug.wrappers import Request, Response

from lambdas.core.marks import marks_of
from local.clock import Clock
from local.simulators.faults import Fault, FaultKind
from local.simulators.simulator import Simulator
from local.simulators.vsphere import soap
from local.simulators.vsphere.building import build
from local.simulators.vsphere.estate import SAMPLE
from local.simulators.vsphere.inventory import Host, Inventory, Machine, Task, Thing
from local.simulators.vsphere.methods import Context, fetch, invoke
from local.simulators.vsphere.service import content
from local.simulators.vsphere.sessions import COOKIE, Sessions, described
from local.simulators.vsphere.settings import VsphereSettings

_METHOD: Final = re.compile(rb"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)")
_VERSIONS: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><namespaces version="1.0"><namespace><name>urn:vim25</name>'
    "<version>7.0.0.0</version></namespace></namespaces>"
)


class VsphereSimulator(Simulator):
    """A vCenter below `/sdk`. Operations are named as the API's methods: `CloneVM_Task`, `RetrievePropertiesEx`."""

    def __init__(self, clock: Clock, sleep: Callable[[float], None], settings: VsphereSettings) -> None:
        super().__init__(clock, sleep)
        self.sessions = Sessions(settings.users, settings.session_idle)
        self._inventory = build(settings)

    def operation(self, request: Request) -> str:
        """The method called; `vimServiceVersions` for the question which API is spoken, `unknown` for the rest."""
        if request.method == "GET" and "vimServiceVersions" in request.path:
            return "vimServiceVersions"
        found = _METHOD.search(request.get_data())
        return found[1].decode() if request.path.startswith("/sdk") and found else "unknown"

    def handle(self, request: Request, fault: Fault | None) -> Response:
        """Answer a request as a vCenter would."""
        if self.operation(request) == "vimServiceVersions":
            return Response(_VERSIONS, content_type="text/xml")
        self._inventory.settle(self.clock.now())
        try:
            return self._call(request, soap.parse(request.get_data()), fault)
        except soap.NotSoap as error:
            return soap.refusal(soap.invalid_request(str(error)))
        except vmodl.MethodFault as refused:
            return soap.refusal(refused)

    def throttled(self, request: Request) -> Response:
        """429, as the proxy before a vCenter's services says it."""
        return Response("Too Many Requests", 429, {"Retry-After": "1"})

    def unavailable(self, request: Request) -> Response:
        """503, as the proxy says it while the service behind is not there."""
        return Response("Service Unavailable", 503)

    def quoting(self, body: str) -> Response:
        """InvalidRequest."""
        return soap.refusal(soap.invalid_request(f"This cannot be: {body}"))

    def resources(self) -> list[dict[str, Any]]:
        """Every machine and template, other people's included."""
        self._inventory.settle(self.clock.now())
        return [self._listed(machine) for machine in self._inventory.all(Machine)]

    @property
    def estate(self) -> Inventory:
        """The inventory as it is now, for whoever arranges or looks at what is behind the API."""
        with self._lock:
            self._inventory.settle(self.clock.now())
            return self._inventory

    def host(self, name: str) -> Host:
        """A host, to put it into maintenance or cut it off."""
        return self.estate.named(Host, name)

    def machine(self, name: str) -> Machine:
        """A machine, to do with it what people do."""
        return self.estate.named(Machine, name)

    def _call(self, request: Request, call: soap.Call, fault: Fault | None) -> Response:
        if call.method == "RetrieveServiceContent":
            return soap.answer(call.method, content(self._inventory))
        now = self.clock.now()
        if call.method == "Login":
            session = self.sessions.sign_in(call.arguments["userName"], call.arguments["password"], now)
            response = soap.answer(call.method, described(session))
            response.set_cookie(COOKIE, session.key, httponly=True)
            return response
        session = self.sessions.of(request.cookies.get(COOKIE), now)
        if call.method == "Logout":
            self.sessions.end(session)
            return soap.answer(call.method, None)
        context = Context(self._inventory, session, self._hidden(fault), fault)
        if call.method == soap.FETCH:
            return soap.answer(call.method, *fetch(context, call))
        return soap.answer(call.method, invoke(context, call))

    def _hidden(self, fault: Fault | None) -> Callable[[Thing], bool]:
        """What a read that is stale does not see: machines and tasks that came to be lately."""
        if fault is None or fault.fault is not FaultKind.STALE:
            return lambda _: False
        since = self._inventory.now - fault.delay
        return lambda thing: isinstance(thing, Machine | Task) and thing.created_at > since

    def _listed(self, machine: Machine) -> dict[str, Any]:
        return {
            "id": machine.id,
            "type": "template" if machine.template else "machine",
            "name": machine.name,
            "location": self._inventory.cluster_of(machine.host).name,
            "status": "poweredOn" if machine.on else "poweredOff",
            "marks": marks_of(machine.annotation),
            "created_at": machine.created_at,
        }


def create_app(
    clock: Clock, sleep: Callable[[float], None], settings: VsphereSettings | None = None
) -> VsphereSimulator:
    """A simulated vCenter; without settings, the one that `estate` describes."""
    return VsphereSimulator(clock, sleep, settings or SAMPLE)
