"""What a cold start of each function may take, and what it must not load.

Processor time, the best of a few, against the peer's in the same run; whatever is over its budget is started again,
together with the peer, before it counts: other work on the machine only ever adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bench.cold import PEER, STARTS, Taken, laboratory, rounds, summed_up
from infra.packaging.bundles import Bundles

AGAIN = 12

NEVER = {
    "boto3",
    "jsonschema",
    "multiprocessing",
    "opentelemetry.exporter",
    "opentelemetry.sdk",
    "s3transfer",
    "sqlite3",
    "yaml",
}
ONLY = {
    "azure.identity": {"lambdas.azure.handler", "lambdas.azure.collector"},
    "azure.mgmt.compute": {"lambdas.azure.handler"},
    "azure.mgmt.network": set[str](),
    "duckdb": {"lambdas.billing.publisher"},
    "google.cloud.bigquery": {"lambdas.gcp.collector"},
    "google.cloud.compute_v1": {"lambdas.gcp.handler"},
    "pyVmomi": {"lambdas.vsphere.handler"},
    "pypsrp": {"lambdas.scvmm.handler"},
}
LOADED = """
import sys, {module}, pydantic
print(*sys.modules)
def below(kind):
    for it in kind.__subclasses__():
        yield it
        yield from below(it)
ours = [it for it in below(pydantic.BaseModel) if it.__module__.startswith("lambdas.core")]
print(*(it.__name__ for it in ours if it.__pydantic_complete__))
"""


@pytest.mark.parametrize("module", STARTS)
def test_a_function_loads_no_more_than_it_starts_with_and_builds_no_validator(
    unpacked: Path, here: Bundles, module: str
) -> None:
    layer = unpacked / here.dependencies[STARTS[module].requirements].stem / "python"
    path = os.pathsep.join([str(unpacked / here.code.stem), str(layer)])
    environment = {"PYTHONPATH": path, "AWS_DEFAULT_REGION": "eu-west-1", "LAMBDA_TASK_ROOT": str(unpacked)}

    ran = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-S", "-P", "-c", LOADED.format(module=module)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded, built = (set(line.split()) for line in ran.stdout.splitlines())

    assert not loaded & (NEVER | {name for name, starts in ONLY.items() if module not in starts})
    assert {name for name, starts in ONLY.items() if module in starts} <= loaded
    assert not built


def test_every_function_starts_within_its_budget(here: Bundles, unpacked: Path) -> None:
    with laboratory(here, unpacked) as starts:
        taken = rounds(starts, STARTS, 1)
        for _ in range(AGAIN):
            if not (over := too_much(taken)):
                break
            for name, each in rounds(starts, over, 1).items():
                taken[name] += each

    assert too_much(taken) == {}


def too_much(taken: Mapping[str, Sequence[Taken]]) -> dict[str, str]:
    """The functions that are over their budget, and by what they are."""
    peer = summed_up(taken[PEER], min)
    found = {}
    for name, start in STARTS.items():
        it = summed_up(taken[name], min)
        ratios = (it.imported / peer.imported, it.first / peer.imported, it.resting / peer.resting)
        if max(ratios) > start.budget:
            found[name] = "import {:.2f}, first call {:.2f}, memory {:.2f}".format(*ratios) + f" of {start.budget}"
    return found
