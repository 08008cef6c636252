"""What a bundle is built for: Lambda, or the machine that synthesizes."""

from __future__ import annotations

import platform
import sys
import sysconfig
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Architecture = Literal["arm64", "x86_64"]


class Target(NamedTuple):
    """Where bundles run.

    `uv_platform` is one of `uv pip install --python-platform`, or None for the running interpreter's own, and
    `exceptions` has another for the requirements of some folders; `platform` tells one build from another; `python` is
    the minor version, as in "3.11". `compression` is the level at which zip files are compressed, from 1 to 9.
    """

    platform: str
    uv_platform: str | None
    architecture: Architecture
    python: str
    exceptions: Mapping[str, str] = MappingProxyType({})
    compression: int = 6

    def uv_platform_of(self, folder: str) -> str | None:
        """The platform of the wheels that the functions of `lambdas/<folder>` get."""
        return self.exceptions.get(folder, self.uv_platform)


LAMBDA: Final = Target(
    "aarch64-manylinux2014",
    "aarch64-manylinux2014",
    "arm64",
    "3.11",
    MappingProxyType({"billing": "aarch64-manylinux_2_28"}),
)
"""Lambda on Graviton; manylinux2014 because the python3.11 runtime is Amazon Linux 2, whose glibc is 2.26.

DuckDB's wheel is for manylinux_2_26, which uv has no name for; that nothing needs a newer glibc is tested.
"""


_HASTY: Final = 1
"""What goes no further than this machine is compressed in half the time, and a tenth larger."""


def host() -> Target:
    """Return the target for the machine and the interpreter that run this."""
    architecture: Architecture = "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"
    return Target(sysconfig.get_platform(), None, architecture, running_python(), compression=_HASTY)


def running_python() -> str:
    """Return the running interpreter's minor version, as in "3.11"."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def target_named(name: str) -> Target:
    """Return the target that the context value `bundle` names, `lambda` or `host`.

    Raise ValueError for another name, or when the running Python cannot compile bytecode for the target.
    """
    if name not in {"lambda", "host"}:
        raise ValueError(f"bundle={name}: use bundle=lambda to deploy, or bundle=host to run on this machine")
    target = LAMBDA if name == "lambda" else host()
    if target.python != running_python():
        raise ValueError(f"bundle={name} needs Python {target.python}, this is {running_python()}")
    return target
