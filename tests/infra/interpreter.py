"""Programs in an interpreter of their own, which finds what a function would and nothing that is installed here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def printed(program: str, *path: Path, **environment: str) -> str:
    """What a program prints that finds packages in those folders alone; raises CalledProcessError where it fails."""
    ran = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-S", "-P", "-c", program],
        env={**environment, "PYTHONPATH": os.pathsep.join(map(str, path))},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ran.stdout
