"""Private clusters on what is deployed, as tests ask for machines there and look what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any
from uuid import uuid4

import requests

from cli.api import ClusterAmounts
from infra.packaging.bundles import ROOT
from local.aws.clients import create_client
from local.machine import REGION
from local.private_clouds import AGENTS_CLUSTER
from tests.e2e.conftest import SDK_CREDENTIALS, Deployment

EVERYBODY = {"callers": ["*"], "targets": ["vsphere/outpost"], "clusters": "drain"}
PATIENCE_SECONDS = 60
NOTHING = {"cpu": 0, "memory_mb": 0, "disk_gb": 0}


def report(deployment: Deployment) -> None:
    """Have the clusters that functions work on report now."""
    for name in ("skysaga-vcenter-report", "skysaga-vmm-report"):
        deployment.machine.runtime.invoke(name, b"{}")


def grants(deployment: Deployment, granted: list[dict[str, Any]]) -> None:
    put_grants(deployment.endpoints.aws, granted)
    time.sleep(1.1)  # what was read of them is good for a second


def put_grants(aws: str, granted: list[dict[str, Any]]) -> None:
    """Write the deployment's grants; functions go by them a second later."""
    value = json.dumps({"grants": granted})
    create_client("ssm", aws, REGION).put_parameter(Name="/skysaga/grants", Value=value, Type="String", Overwrite=True)


def machine(resource_id: str, provider: str = "vsphere", target: str = "default", **placement: Any) -> dict[str, Any]:
    needs = {"cpu": 2, "memory_gb": 4, "disk_gb": 30, **placement}
    spec = {"image": "ubuntu-24.04"}
    resource = {"id": resource_id, "provider": provider, "kind": "instance", "placement": needs, "spec": spec}
    return {**resource, "target": target}


def submit(deployment: Deployment, *resources: dict[str, Any], preflight: bool = True) -> str:
    document = {"name": "private", "labels": {"team": "payments"}, "resources": list(resources), "preflight": preflight}
    answer = deployment.api.submit(json.dumps(document).encode(), "application/json", str(uuid4()))
    return str(answer["id"])


def resources_of(saga: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {it["id"]: it for it in saga["resources"]}


def machines(deployment: Deployment) -> list[dict[str, Any]]:
    """Everything of ours on any private cluster, according to the servers themselves."""
    urls = (deployment.endpoints.vsphere, deployment.endpoints.scvmm)
    found = [it for url in urls for it in requests.get(f"{url}/_simulator/resources", timeout=10).json()]
    return [it for it in found if it["marks"].get("skysaga-saga")]


def arm(url: str, **fault: Any) -> None:
    requests.post(f"{url}/_simulator/faults", json=[fault], timeout=10).raise_for_status()


def claimed(deployment: Deployment) -> dict[str, ClusterAmounts]:
    return {it["name"]: it["claimed"] for it in deployment.api.clusters()}


def eventually(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def start_agent(aws: str, log: int | IO[bytes] = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """`skysaga worker` in a process of its own, as it runs inside a private network; what it says goes to `log`."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ACCESS_KEY_ID": SDK_CREDENTIALS["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": SDK_CREDENTIALS["aws_secret_access_key"],
        "SKYSAGA_HIDDEN_SECONDS": "3",
        "SKYSAGA_MIN_DELAY": "1",
        "SKYSAGA_MAX_DELAY": "2",
        "VSPHERE_REPEAT_SECONDS": "8",
        "VSPHERE_SETTLING_SECONDS": "2",
    }
    command = [sys.executable, "-m", "cli", "worker", "--cluster", AGENTS_CLUSTER, "--region", REGION]
    return subprocess.Popen(  # noqa: S603 -- our own command
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=log
    )


@contextmanager
def agent(deployment: Deployment) -> Iterator[subprocess.Popen[bytes]]:
    """An agent as long as the context lasts."""
    process = start_agent(deployment.endpoints.aws)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def working(deployment: Deployment) -> None:
    """Until the agent's cluster has reported in the last minute."""
    eventually(
        lambda: any(it["name"] == AGENTS_CLUSTER and it["report_age_seconds"] < 60 for it in deployment.api.clusters()),
        "the agent never reported",
    )
