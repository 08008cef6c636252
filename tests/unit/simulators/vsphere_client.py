"""pyvmomi itself on a simulated vCenter, for the tests of the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyVmomi import vim, vmodl
from pyVmomi.SoapAdapter import SoapStubAdapter

from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.vsphere import SAMPLE, VsphereSettings, VsphereSimulator, create_app

USER, PASSWORD = "skysaga@vsphere.local", "local"
PC = vmodl.query.PropertyCollector


class Client:
    """Signed in unless told otherwise; properties are read as pyvmomi's users read them."""

    def __init__(self, simulator: VsphereSimulator, clock: VirtualClock, url: str) -> None:
        self.simulator = simulator
        self.clock = clock
        self.url = url
        stub = SoapStubAdapter(url=url, version="vim.version.v7_0")
        self.content: Any = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
        self.stub = stub

    def sign_in(self, password: str = PASSWORD) -> Any:
        return self.content.sessionManager.Login(USER, password)

    def ref(self, kind: Any, id_: str) -> Any:
        return kind(id_, self.stub)

    def machine(self, name: str) -> Any:
        return self.ref(vim.VirtualMachine, self.simulator.machine(name).id)

    def cluster(self, name: str) -> Any:
        return next(it for it in self.everything(vim.ClusterComputeResource) if it.name == name)

    def everything(self, kind: Any) -> list[Any]:
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True)
        found = list(view.view)
        view.DestroyView()
        return found

    def folder(self) -> Any:
        return self.ref(vim.Folder, self.simulator.machine("ci-0").parent or "")

    def clone(self, name: str, **location: Any) -> Any:
        cluster = self.cluster("CL02")
        where = {"pool": cluster.resourcePool, "host": cluster.host[1], "datastore": cluster.datastore[0], **location}
        spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(**where), powerOn=False, template=False)
        return self.machine("ubuntu-24.04").CloneVM_Task(self.folder(), name, spec)

    def end(self, task: Any) -> Any:
        """Wait for a task; returns its result, or raises its fault."""
        for _ in range(100):
            info = task.info
            if info.state == "success":
                return info.result
            if info.state == "error":
                raise info.error
            self.clock.advance(1)
        raise AssertionError("the task never ended")


@contextmanager
def signed_in(settings: VsphereSettings = SAMPLE) -> Iterator[Client]:
    clock = VirtualClock()
    simulator = create_app(clock, clock.advance, settings)
    with serve(simulator, name="vsphere") as server:
        client = Client(simulator, clock, server.url)
        client.sign_in()
        yield client
