"""What each function weighs and what its import costs: with nothing but its own bundles, in a fresh interpreter.

Importing is one thread that computes, on Lambda, too: processor time is what it takes, whatever else this machine does.
Google's takes longest because all message types of Compute Engine are one module.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from statistics import median

from bench.figure import Figure, cheaper, limited
from infra.packaging.budget import BUDGET_MB, unzipped
from infra.packaging.bundles import Bundles, build_bundles
from infra.packaging.target import LAMBDA, host

ROUNDS = 5
HANDLERS = {
    "lambdas.api.handler": ("skysaga-api", ".", 1.75),
    "lambdas.saga.handler": ("skysaga-saga", ".", 1.75),
    "lambdas.sweep.handler": ("skysaga-sweep", ".", 1.75),
    "lambdas.aws.handler": ("skysaga-aws-*", "aws", 1.75),
    "lambdas.azure.handler": ("skysaga-azure-*", "azure", 2.5),
    "lambdas.gcp.handler": ("skysaga-gcp-*", "gcp", 4.5),
    "lambdas.placement.handler": ("skysaga-placement-*", ".", 1.75),
    "lambdas.gauges.handler": ("skysaga-gauges", ".", 1.75),
    "lambdas.vsphere.handler": ("skysaga-*-work and -report on vSphere", "vsphere", 2),
    "lambdas.scvmm.handler": ("skysaga-*-work and -report on SCVMM", "scvmm", 2),
}
"""By module: the functions, whose requirements they run with, and how many times the peer their import may take."""

PEER = "an EC2 client of boto3"
_PEER_CODE = 'import boto3; boto3.client("ec2")'
_MEASURED = "from time import process_time; began = process_time(); {}; print(process_time() - began)"


def figures() -> list[Figure]:
    """The size of what is deployed, and the time to import the same for this machine."""
    return [*_sizes(build_bundles(LAMBDA)), *_imports(build_bundles(host()))]


def _sizes(bundles: Bundles) -> list[Figure]:
    method = "bytes of all files in the code and in the layer, for arm64"
    return [
        limited(
            f"bundle of {functions}, unzipped",
            unzipped(bundles.code, bundles.dependencies[requirements]),
            "MB",
            BUDGET_MB,
            method,
        )
        for functions, requirements, _ in HANDLERS.values()
    ]


def _imports(bundles: Bundles) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for bundle in {bundles.code, *bundles.dependencies.values()}:
            with zipfile.ZipFile(bundle) as archive:
                archive.extractall(folder / bundle.stem)

        def seconds(code: str, requirements: str) -> float:
            layer = folder / bundles.dependencies[requirements].stem / "python"
            return _fresh(code, [folder / bundles.code.stem, layer])

        programs = {module: (f"import {module}", requirements) for module, (_, requirements, _) in HANDLERS.items()}
        programs[PEER] = (_PEER_CODE, ".")
        for program in programs.values():  # the first time, the files are not in the machine's memory yet
            seconds(*program)
        rounds = [{name: seconds(*program) for name, program in programs.items()} for _ in range(ROUNDS)]
    typical = {name: median(each[name] for each in rounds) * 1000 for name in programs}
    method = f"processor time, median of {ROUNDS} fresh interpreters with nothing else on the path, files in memory"
    return [
        cheaper(f"cold import of {functions}", typical[module], "ms", (PEER, typical[PEER]), times, method)
        for module, (functions, _, times) in HANDLERS.items()
    ]


def _fresh(code: str, path: list[Path]) -> float:
    command = [sys.executable, "-S", "-P", "-c", _MEASURED.format(code)]
    environment = {"PYTHONPATH": os.pathsep.join(map(str, path)), "AWS_DEFAULT_REGION": "eu-west-1"}
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - our own code
