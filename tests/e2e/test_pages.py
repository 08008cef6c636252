"""What pages tell people to type does what they say, on the machine that `make up` runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.docs.markdown import Block, blocks_of
from tests.docs.session import Shell, compare, typed
from tests.docs.tree import ROOT
from tests.e2e.conftest import Deployment

COMPLAINTS: Final = ("command not found", "No such file", "Traceback", "Usage:", "syntax error", "jq: ")
TUTORIAL: Final = ROOT / "docs" / "tutorial.md"
README: Final = ROOT / "README.md"


@pytest.fixture
def shell(deployment: Deployment, tmp_path: Path) -> Iterator[Shell]:
    """A shell in a clone where `make up` is running, with the command installed."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for entry in ROOT.iterdir():
        if entry.name != ".local":
            (clone / entry.name).symlink_to(entry)
    (clone / ".local").mkdir()
    (clone / ".local" / "endpoints.json").write_text(json.dumps(deployment.endpoints._asdict()))
    command = tmp_path / "bin" / "skysaga"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {ROOT}/.venv/bin/python -m cli "$@"\n')
    command.chmod(0o755)
    with Shell(clone, {"PATH": f"{command.parent}:{os.environ['PATH']}"}) as it:
        yield it
    for cloud in ("aws", "azure", "gcp"):
        requests.delete(f"{deployment.endpoints._asdict()[cloud]}/_simulator/faults", timeout=10)


def type_all(shell: Shell, blocks: list[Block], not_here: tuple[str, ...]) -> None:
    """Type everything, and compare what comes with what is shown; what is `not_here` must be among it."""
    steps = typed(blocks)
    assert {*not_here} <= {command for step in steps for command in step.commands}
    for step in steps:
        output = "".join(shell.type(command) for command in step.commands if command not in not_here)
        compare(step, output)
        assert not [it for it in COMPLAINTS if it in output], f"line {step.line}: {step.commands}\n{output}"


def await_nothing(deployment: Deployment) -> None:
    """Wait until no cloud holds anything."""
    deadline = time.monotonic() + 60
    while deployment.held():
        assert time.monotonic() < deadline, deployment.held()
        time.sleep(0.5)


def test_the_tutorial_breaks_clouds_and_ends_with_nothing_left(deployment: Deployment, shell: Shell) -> None:
    blocks = blocks_of(TUTORIAL)
    assert any(step.shown for step in typed(blocks))

    type_all(shell, blocks, ("make up",))  # this machine stands for it

    assert deployment.held() == []
    endings = [it["status"] for it in deployment.api.sagas()["items"][:4]]
    assert endings == ["RELEASED", "ROLLED_BACK", "ROLLED_BACK", "RELEASED"]


def test_what_the_readme_says_to_use_it_can_be_typed(deployment: Deployment, shell: Shell) -> None:
    type_all(shell, blocks_of(README, "Use it"), ("pip install .", "skysaga console"))  # which have tests of their own

    (newest, *_) = deployment.api.sagas()["items"]
    deployment.api.cancel(newest["id"])
    assert deployment.wait(newest["id"])["status"] == "ROLLED_BACK"
    await_nothing(deployment)
