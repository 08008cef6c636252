"""What a vCenter says of itself to whoever asks, signed in or not: where everything else is."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

from local.simulators.vsphere.building import ROOT
from local.simulators.vsphere.inventory import Inventory, Thing


def content(inventory: Inventory) -> Any:
    """What RetrieveServiceContent answers: where everything else is."""
    return vim.ServiceInstanceContent(
        rootFolder=inventory.get(Thing, ROOT).ref(),
        propertyCollector=inventory.get(Thing, "propertyCollector").ref(),
        viewManager=inventory.get(Thing, "ViewManager").ref(),
        sessionManager=inventory.get(Thing, "SessionManager").ref(),
        searchIndex=inventory.get(Thing, "SearchIndex").ref(),
        taskManager=inventory.get(Thing, "TaskManager").ref(),
        about=vim.AboutInfo(
            name="VMware vCenter Server",
            fullName="VMware vCenter Server 7.0.0 (simulated by skysaga)",
            vendor="skysaga",
            version="7.0.0",
            build="1",
            osType="linux-x64",
            productLineId="vpx",
            apiType="VirtualCenter",
            apiVersion="7.0.0.0",
            instanceUuid="9c9a4d3e-6b0d-4f1b-8f54-0d9a5d5b7c11",
        ),
    )
