"""Spin checks the same model, written a second time in its own language."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.model.checker import check
from tests.model.rules import Rules
from tests.model.saga_model import SagaModel

PROMELA = Path(__file__).parents[2] / "docs" / "model" / "saga.pml"
ERRORS = re.compile(r"errors: (\d+)")
STATES = re.compile(r"(\d+) states, stored")


def explored(folder: Path, *defines: str) -> tuple[int, int]:
    """How many errors Spin finds, and how many states it visits; the first error ends the search."""
    flags = [f"-D{define}" for define in defines]
    run(folder, "spin", *flags, "-a", str(PROMELA))
    run(folder, "gcc", "-O1", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c")
    report = run(folder, "./pan", "-m200000", "-E")
    errors, states = ERRORS.search(report), STATES.search(report)
    assert errors is not None
    assert states is not None
    assert "max search depth too small" not in report
    return int(errors[1]), int(states[1])


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603
    return done.stdout


@pytest.mark.parametrize(("resources", "calls"), [(1, 2), (2, 1)])
def test_spin_finds_nothing_wrong_either(tmp_path: Path, resources: int, calls: int) -> None:
    errors, states = explored(tmp_path, f"N={resources}", f"K={calls}")
    assert errors == 0
    assert states > 10_000


def test_both_checkers_visit_the_same_states(tmp_path: Path) -> None:
    _, states = explored(tmp_path, "N=1", "K=1")
    before_the_processes_have_started = 1
    assert states - before_the_processes_have_started == check(SagaModel(Rules(resources=1, calls=1)).system()).states


@pytest.mark.parametrize(
    "mutant",
    [
        "NO_FENCE",
        "INTENT_UNVERSIONED",
        "COMMIT_UNVERSIONED",
        "COMMIT_UNAPPROVED",
        "INTENT_LAST",
        "RANDOM_TOKEN",
        "COMPENSATE_COMMITTED",
        "DELETE_ANY_TIME",
        "SETTLING=0",
        "SETTLING=3",
    ],
)
def test_spin_catches_each_mutant_too(tmp_path: Path, mutant: str) -> None:
    errors, _ = explored(tmp_path, "N=1", "K=2", mutant)
    assert errors == 1
