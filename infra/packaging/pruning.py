"""What no function of ours uses, left out of the bundles: it costs cold starts and counts against Lambda's 250 MB.

What a package loads by itself and hardly ever uses stays, and is loaded later.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from infra.packaging.compute import prune_compute
from infra.packaging.deferral import defer_imports
from infra.packaging.descriptions import prune_descriptions
from infra.packaging.management import prune_management

AWS_SERVICES: Final = frozenset(
    {
        "athena",
        "ce",
        "dynamodb",
        "ec2",
        "events",
        "lambda",
        "pricing",
        "s3",
        "scheduler",
        "secretsmanager",
        "service-quotas",
        "sqs",
        "ssm",
        "stepfunctions",
        "sts",
        "xray",
    }
)
"""The services a function may make a client for; a client for another one raises UnknownServiceError.

The X-Ray SDK makes one for `xray` when it is imported.
"""

_UNUSED: Final = (
    "bin",  # console scripts, which name the interpreter that installed them
    ".lock",
    "*.dist-info/RECORD",  # lists the scripts with their hashes
    "**/*.pyi",
    "**/*.proto",
    "certifi/tests",
    "boto3/examples",
    "wrapt-stubs",
    "azure/identity/aio",  # the asynchronous twins of the clients we use
    "azure/mgmt/*/aio",
    "azure/storage/blob/aio",
    "azure/storage/blob/_generated/aio",
    "pyVmomi/_typeinfo_eam.py",  # the types of vSphere's other APIs, which pyVmomi loads if they are there
    "pyVmomi/_typeinfo_pbm.py",
    "pyVmomi/_typeinfo_sms.py",
    "pyVmomi/_typeinfo_vsanhealth.py",
    "pyVmomi/_typeinfo_vslm.py",
)


def prune(site_packages: Path) -> None:
    """Remove what is unused from a folder of installed packages, and put off what is hardly used."""
    for pattern in _UNUSED:
        for path in list(site_packages.glob(pattern)):
            _remove(path)
    data, compute = site_packages / "botocore" / "data", site_packages / "google" / "cloud" / "compute_v1"
    if data.exists():
        _keep_only(AWS_SERVICES, data)
        prune_descriptions(data)
    if compute.exists():
        prune_compute(compute)
    prune_management(site_packages / "azure" / "mgmt")
    defer_imports(site_packages)


def _keep_only(names: frozenset[str], folder: Path) -> None:
    for service in folder.glob("*/"):
        if service.name not in names:
            _remove(service)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
