"""Google Cloud for the provider contract: the provider over HTTP on the simulated Compute Engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from lambdas.core.specs import GcpDisk, GcpInstance
from lambdas.gcp.provider import GcpProvider
from local.clock import VirtualClock
from local.http_server import serve
from local.simulators.gcp import GcpSimulator, GcpTiming, write_service_account
from tests.contract.cloud import PublicCloud

ZONE = "europe-west1-b"


def gcp_definition(kind: str, resource_id: str, **spec: Any) -> GcpInstance | GcpDisk:
    """A small instance or disk in one zone."""
    document = {"id": resource_id, "provider": "gcp", "kind": kind, "zone": ZONE}
    if kind == "disk":
        return GcpDisk.model_validate({**document, "spec": {"size_gb": 10, **spec}})
    image = "projects/debian-cloud/global/images/family/debian-12"
    return GcpInstance.model_validate({**document, "spec": {"image": image, "size": "e2-small", **spec}})


@contextmanager
def gcp_cloud(clock: VirtualClock | None = None, timing: GcpTiming | None = None) -> Iterator[PublicCloud]:
    """A fresh cloud; the credentials file it needs is in the environment as long as it lasts."""
    clock = clock or VirtualClock()
    simulator = GcpSimulator(clock, clock.advance, timing)
    with TemporaryDirectory() as folder, serve(simulator, name="gcp") as server:
        key_file = Path(folder) / "key.json"
        write_service_account(key_file, f"{server.url}/_token")
        environ = {
            "GOOGLE_APPLICATION_CREDENTIALS": str(key_file),
            "GOOGLE_CLOUD_PROJECT": "shop",
            "GOOGLE_COMPUTE_ENDPOINT": server.url,
        }
        with patch.dict(os.environ, environ):
            yield PublicCloud(
                provider=GcpProvider.from_environment(os.environ),
                clock=clock,
                definition=gcp_definition,
                arm=simulator.faults.arm,
                disarm=simulator.faults.disarm,
                inventory=simulator.inventory,
                calls=lambda: simulator.log,
                creates=("instances.insert", "disks.insert"),
                deletes=("instances.delete", "disks.delete"),
                limits="regions.get",
                unknown_size="z9-huge",
            )
