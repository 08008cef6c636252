"""What no function of ours loads, left out of the bundles: it costs cold starts and counts against Lambda's 250 MB."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

AWS_SERVICES: Final = frozenset({"dynamodb", "ec2", "secretsmanager", "sqs", "ssm", "stepfunctions", "sts"})
"""The services a function may make a boto3 client for; a client for another one raises UnknownServiceError."""

_UNUSED: Final = (
    "bin",  # console scripts, which name the interpreter that installed them
    ".lock",
    "*.dist-info/RECORD",  # lists the scripts with their hashes
    "**/*.pyi",
    "**/*.proto",
    "certifi/tests",
    "boto3/examples",
    "wrapt-stubs",
    "azure/mgmt/*/aio",  # the asynchronous twins of the clients we use
)


def prune(site_packages: Path) -> None:
    """Remove what is unused from a folder of installed packages."""
    for pattern in _UNUSED:
        for path in list(site_packages.glob(pattern)):
            _remove(path)
    for data in (site_packages / "botocore" / "data").glob("*/"):
        if data.name not in AWS_SERVICES:
            _remove(data)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
