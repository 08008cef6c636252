"""The private clouds of one machine: what a deployment declares of them, and how it comes to reach them here.

Where a simulator listens is known only when it does, and a template is made before. So the deployment declares names
that nobody resolves, and what is deployed is then pointed to where the simulators are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from local.aws.clients import create_client
from local.clock import Clock

if TYPE_CHECKING:
    from local.simulators.scvmm import Estate, ScvmmSimulator
    from local.simulators.vsphere import VsphereSimulator

VCENTER_LOGIN: Final = {"username": "skysaga@vsphere.local", "password": "simulated-password-of-vcenter"}
VMM_LOGIN: Final = {"username": r"CORP\skysaga", "password": "simulated-password-of-vmm"}

_LOGINS: Final = {"skysaga/vcenter": VCENTER_LOGIN, "skysaga/vmm": VMM_LOGIN}
_VCENTER: Final = "https://vcenter.skysaga.example/sdk"

AGENTS_CLUSTER: Final = "outpost-1"
"""Nobody works on it until somebody runs `skysaga worker --cluster outpost-1`."""

DECLARED: Final[Mapping[str, Any]] = {
    "vcenter": {
        "provider": "vsphere",
        "server": _VCENTER,
        "secret": "skysaga/vcenter",
        "worker": "lambda",
        "clusters": {
            "vc-1": {"cluster": "CL01", "folder": "skysaga", "network": "VM Network", "labels": {"site": "berlin"}},
            "vc-2": {"cluster": "CL02", "folder": "skysaga", "network": "VM Network", "labels": {"site": "bonn"}},
        },
    },
    "outpost": {
        "provider": "vsphere",
        "server": _VCENTER,
        "secret": "skysaga/vcenter",
        "target": "outpost",
        "worker": "agent",
        "clusters": {AGENTS_CLUSTER: {"cluster": "CL03", "folder": "skysaga", "network": "VM Network"}},
    },
    "vmm": {
        "provider": "scvmm",
        "server": "https://vmm.skysaga.example:5986/wsman",
        "secret": "skysaga/vmm",
        "worker": "lambda",
        "clusters": {
            "hv-1": {"cluster": "HVCL01", "network": "VM Network", "concurrency": 2},
            "hv-2": {"cluster": "HVCL02", "network": "VM Network", "concurrency": 2},
        },
    },
}
"""The CDK context `private_clouds` of this machine."""


_QUICK_VSPHERE: Final = {
    "clone_queued": 0.2,
    "clone": 1.0,
    "reconfigure": 0.2,
    "power_on": 0.4,
    "power_off": 0.2,
    "destroy": 0.4,
}
_QUICK_SCVMM: Final[Mapping[str, Any]] = {
    "create": 1.0,
    "create_listed": 0.3,
    "adjust": 0.3,
    "start": 0.5,
    "stop": 0.3,
    "remove": 0.5,
}


def create_vsphere(clock: Clock, sleep: Callable[[float], None]) -> VsphereSimulator:
    """The sample estate of a vCenter, with our login; quicker than the real ones, as all clouds are here."""
    from local.simulators import vsphere  # noqa: PLC0415 -- pyVmomi, which a machine does without until it is asked

    users = {VCENTER_LOGIN["username"]: (VCENTER_LOGIN["password"],)}
    estate = vsphere.SAMPLE.model_copy(update={"users": users, **_QUICK_VSPHERE})
    return vsphere.create_app(clock, sleep, estate)


def create_scvmm(clock: Clock, sleep: Callable[[float], None]) -> ScvmmSimulator:
    """The sample estate of a VMM server, with our login; quicker, too."""
    from local.simulators import scvmm  # noqa: PLC0415 -- PowerShell's remoting, likewise

    return scvmm.ScvmmSimulator(clock, sleep, scvmm_estate(), scvmm.ScvmmTiming(**_QUICK_SCVMM))


def scvmm_estate() -> Estate:
    """The sample estate of a VMM server, with our login."""
    from local.simulators.scvmm import SAMPLE  # noqa: PLC0415 -- as above

    return replace(SAMPLE, users={VMM_LOGIN["username"]: VMM_LOGIN["password"]})


def put_logins(endpoint: str, region: str) -> None:
    """Put the passwords of the simulated servers where operators put those of real ones."""
    secrets = create_client("secretsmanager", endpoint, region)
    for name, login in _LOGINS.items():
        secrets.create_secret(Name=name, SecretString=json.dumps(login))


def point_clusters(endpoint: str, region: str, urls: Mapping[str, str]) -> None:
    """Point the settings of every deployed cluster to the simulator of its provider."""
    parameters = create_client("ssm", endpoint, region)
    pages = parameters.get_paginator("get_parameters_by_path").paginate(Path="/skysaga/clusters", Recursive=True)
    for parameter in [it for page in pages for it in page["Parameters"]]:
        settings = json.loads(parameter["Value"])
        settings["server"] = urls[settings["provider"]] + urlsplit(settings["server"]).path
        parameters.put_parameter(
            Name=parameter["Name"], Value=json.dumps(settings), Type=parameter["Type"], Overwrite=True
        )
