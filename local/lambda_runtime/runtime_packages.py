"""The Python packages that Lambda's own image brings, as one directory of links into this environment.

A worker sees its bundle, its layers and this directory, nothing else of the virtual environment, so that a package
missing from a bundle is missing here as it would be on AWS. Source: "Building Lambda functions with Python",
runtime-included SDK; awslambdaric brings simplejson and snapshot-restore-py.
"""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import distribution
from pathlib import Path

_DISTRIBUTIONS = (
    "awslambdaric",
    "simplejson",
    "snapshot-restore-py",
    "boto3",
    "botocore",
    "jmespath",
    "python-dateutil",
    "s3transfer",
    "six",
    "urllib3",
)


def link_runtime_packages(directory: Path) -> Path:
    """Make `directory` link to exactly the packages of Lambda's image and return it; raises PackageNotFoundError."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    targets = _targets()
    for path in directory.iterdir():
        if path.is_symlink() and path.name not in targets:
            path.unlink()
    for name, target in targets.items():
        link = directory / name
        if not link.is_symlink() or link.readlink() != target:
            _replace_link(link, target)
    return directory


def _targets() -> dict[str, Path]:
    targets = {}
    for name in _DISTRIBUTIONS:
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or ()}:
            if top not in ("..", "__pycache__"):
                targets[top] = Path(str(package.locate_file(top)))
    return targets


def _replace_link(link: Path, target: Path) -> None:
    # Renamed into place, because another runtime may be starting workers from this directory.
    with tempfile.TemporaryDirectory(prefix=".link-", dir=link.parent.parent) as staging:
        fresh = Path(staging) / link.name
        fresh.symlink_to(target)
        os.replace(fresh, link)
