"""A copy of the tree to be changed, with the environment and the caches of this one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

_LEFT_OUT: Final = (".venv", ".git", ".local", "node_modules", "cdk.out", "*.pyc", ".*_cache", "build", "dist")
_SHARED: Final = (".local/bundles", ".local/tasks")
"""What stands in there is named after its content, and made by one process at a time."""


class CommandFailed(Exception):
    """A command of a page ended with another code than 0; the message is what it said last."""


def copy_tree(into: Path) -> Path:
    """A copy in the new folder `into`, whose `.venv` is ours."""
    shutil.copytree(ROOT, into, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    (into / ".venv").symlink_to(ROOT / ".venv")
    (into / ".local").mkdir()
    for cache in _SHARED:
        (ROOT / cache).mkdir(parents=True, exist_ok=True)
        (into / cache).symlink_to(ROOT / cache)
    return into


def run(command: str, tree: Path) -> str:
    """What a line of shell says when it is typed in a tree; raises CommandFailed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "AWS_"))}
    outcome = subprocess.run(  # noqa: S603 -- the commands are those of our own pages
        ["/bin/bash", "-c", command],
        cwd=tree,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if outcome.returncode:
        raise CommandFailed(f"{command}\n{outcome.stdout[-6000:]}")
    return outcome.stdout
