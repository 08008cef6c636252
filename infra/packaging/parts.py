"""Parts of dependency bundles: one pin installed, pruned and compiled, which every bundle that has the pin links to.

Half of what a bundle holds is in all of them. A part's files are links into the installer's cache, and a bundle's are
links to a part's: whatever changes one puts another in its place (`archive.replace_file`), and never writes into it.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uv

from infra.packaging.archive import compile_bytecode
from infra.packaging.pruning import prune

_UV: Final = uv.find_uv_bin()
_LAYER_MOUNT: Final = "/opt"
_PINS: Final = "requirements.txt"


class PartsDiffer(ValueError):
    """Two packages of one layer have a file of the same name that is not the same."""


def pins_of(requirements: str) -> Iterator[str]:
    """The pins of a requirements.txt, each with its hashes, in the order in which they are there."""
    pin: list[str] = []
    for line in requirements.splitlines():
        if pin and not line.startswith((" ", "\t")):
            yield "\n".join(pin)
            pin = []
        if line.strip() and not line.startswith("#"):
            pin.append(line)
    if pin:
        yield "\n".join(pin)


def make_part(pin: str, uv_platform: str | None, python: str, folder: Path) -> None:
    """Make `folder` a layer of the one pin, with the wheel for a platform; raise CalledProcessError when there is none.

    It is empty where the pin's own markers leave it out.
    """
    packages = folder / "python"
    packages.mkdir(parents=True)
    requirements = folder.with_name(_PINS)
    requirements.write_text(pin + "\n")
    platform = ["--python-platform", uv_platform] if uv_platform else []
    subprocess.run(  # noqa: S603 - the packaged uv, arguments are ours
        [
            *(_UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(packages)),
            *("--link-mode", "hardlink", "--python-version", python, *platform),
            *("--only-binary", ":all:", "--require-hashes", "--no-deps", "-r", str(requirements)),
        ],
        check=True,
        stdout=sys.stderr,
    )
    prune(packages)
    compile_bytecode(folder, _LAYER_MOUNT)


def link_into(part: Path, folder: Path) -> None:
    """Link all files of a part into a folder; raise PartsDiffer for one that is there and is another."""
    for parent, _, names in os.walk(part):
        into = folder / Path(parent).relative_to(part)
        into.mkdir(parents=True, exist_ok=True)
        for name in names:
            source, link = Path(parent, name), into / name
            try:
                os.link(source, link)
            except FileExistsError:
                if not filecmp.cmp(source, link, shallow=False):
                    raise PartsDiffer(f"{source} and {link}") from None
