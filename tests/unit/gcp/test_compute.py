"""The SDK's classes without the SDK's import time."""

from __future__ import annotations

import subprocess
import sys

import pytest
from google.cloud import compute_v1

from lambdas.gcp import compute

IN_A_FRESH_INTERPRETER = """
import sys
from lambdas.gcp.compute import InstancesClient
print(*sorted({name.split(".")[4] for name in sys.modules if name.startswith("google.cloud.compute_v1.services.")}))
from google.cloud import compute_v1
print(compute_v1.InstancesClient is InstancesClient)
"""


@pytest.mark.parametrize("name", compute.__all__)
def test_every_class_is_the_sdks_own(name: str) -> None:
    assert getattr(compute, name) is getattr(compute_v1, name)


def test_only_the_services_used_are_imported_and_the_whole_package_still_can_be() -> None:
    command = [sys.executable, "-c", IN_A_FRESH_INTERPRETER]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- our own
    assert output.splitlines() == ["disks instances machine_types regions zone_operations zones", "True"]


def test_a_package_that_was_imported_before_is_used_as_it_is() -> None:
    with compute.without_package_init("google.cloud.compute_v1"):
        assert sys.modules["google.cloud.compute_v1"] is compute_v1
    assert sys.modules["google.cloud.compute_v1"] is compute_v1
