"""The provider on a vCenter that others simulated: govmomi's vcsim, where VCSIM_ENDPOINT says that one is running.

It is an independent reading of the same API, and a poorer vCenter than ours: it ignores the host, the note and the
folder's names, and its figures stand still. So it is asked for what it does well. docs/vsphere.md says how to run it.
"""

from __future__ import annotations

import os
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from pyVmomi import vim

from lambdas.core.errors import TerminalError
from lambdas.core.model import MARK_RESOURCE, MARK_SAGA, Intent
from lambdas.vsphere.clients import Session
from lambdas.vsphere.provider import VsphereProvider
from lambdas.vsphere.reading import TO_MACHINES, read
from local.clock import VirtualClock
from tests.contract.vsphere_cloud import Vault, cluster_settings, vsphere_definition, vsphere_provider

ENDPOINT = os.environ.get("VCSIM_ENDPOINT", "")
TEMPLATE = "DC0_C0_RP0_VM1"

pytestmark = pytest.mark.skipif(not ENDPOINT, reason="VCSIM_ENDPOINT names no vcsim")


def connected(password: str | None = None) -> VsphereProvider:
    at = urlsplit(ENDPOINT)
    settings = cluster_settings(
        f"{at.scheme}://{at.hostname}:{at.port}", name="dc0-c0", cluster="DC0_C0", folder="", network="VM Network"
    )
    vault = Vault(vcenter={"username": at.username or "", "password": password or at.password or ""})
    return vsphere_provider(VirtualClock(time.time()), settings, vault=vault)


def make_template(session: Session) -> None:
    """Turn one of vcsim's machines into a template, unless it is one already."""
    wanted = {vim.VirtualMachine: ("name", "config.template", "runtime.powerState")}
    collector: Any = session.content.propertyCollector
    machines = read(collector, session.content.rootFolder, TO_MACHINES, wanted)
    machine = next(it for it in machines if it.get("name") == TEMPLATE)
    if machine.get("config.template"):
        return
    if machine.get("runtime.powerState") == "poweredOn":
        _settle(machine.ref.PowerOffVM_Task())
    machine.ref.MarkAsTemplate()


def _settle(task: Any) -> None:
    for _ in range(100):
        if task.info.state not in ("queued", "running"):
            return
        time.sleep(0.02)


@pytest.fixture
def provider() -> VsphereProvider:
    made = connected()
    made._sessions.run(made._cluster("dc0-c0"), make_template)
    return made


def begun(provider: VsphereProvider, intent: Intent, part: str) -> Intent:
    """Create a part twice, as after a lost reply, and look until it is ready."""
    handle = provider.create(intent, part)
    provider.create(intent, part)
    intent = intent.model_copy(update={"operations": {**intent.operations, part: handle}})
    for _ in range(100):
        if provider.observe(intent, part).ready:
            return intent
        time.sleep(0.02)
    raise AssertionError(f"{part} never became ready")


def test_a_survey_reads_what_vcsim_has(provider: VsphereProvider) -> None:
    report = provider.survey("dc0-c0").report
    assert [(it.name, it.cpu, it.memory_mb, it.usable) for it in report.hosts] == [
        (f"DC0_C0_H{number}", 2, 4095, True) for number in range(3)
    ]
    assert all(0 < it.cpu_used < it.cpu and 0 < it.memory_used_mb < it.memory_mb for it in report.hosts)
    assert [it.name for it in report.datastores] == ["LocalDS_0"]
    assert 0 < report.datastores[0].free_gb <= report.datastores[0].capacity_gb
    assert report.images == report.local_images == (TEMPLATE,)
    assert {"VM Network", "DC0_DVPG0"} <= set(report.networks)
    assert report.others.cpu >= 1


def test_a_machine_is_cloned_marked_switched_on_found_surveyed_and_destroyed(provider: VsphereProvider) -> None:
    definition = vsphere_definition("instance", "web", image=TEMPLATE, memory_gb=1, disk_gb=11)
    intent = Intent(saga_id=f"s0{uuid.uuid4().hex[:14]}", definition=definition, cluster="dc0-c0")
    for part in provider.parts(intent):
        intent = begun(provider, intent, part)
    (found,) = provider.find(intent)
    marked = [it for it in provider.survey("dc0-c0").machines if it.saga_id == intent.saga_id]
    assert [(it.resource_id, it.cloud_id) for it in marked] == [("web", found)]
    assert intent.marks.keys() >= {MARK_SAGA, MARK_RESOURCE}
    for _ in range(100):
        if not provider.find(intent):
            break
        provider.delete(intent)
        time.sleep(0.02)
    assert provider.find(intent) == []


def test_vcsim_refuses_a_wrong_password_by_the_same_type() -> None:
    with pytest.raises(TerminalError, match="InvalidLogin"):
        connected(password="wrong").survey("dc0-c0")
