"""Fixtures for testing state machines: `pytest -p local.stepfunctions.pytest_plugin`.

def test_waits_an_hour(stepfunctions, clock):
    stepfunctions.function("create", lambda event: {"id": 1})
    run = stepfunctions.start(Path("saga.asl.json"), {"name": "a"})
    clock.advance(hours=1)
    assert run.status == "SUCCEEDED"
    run.assert_path("Create", "Wait", "Done")
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stepfunctions.coverage import Coverage
from local.stepfunctions.harness import Harness, VirtualTime

_coverage = Coverage()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--stepfunctions-seed`, which chooses the interleaving."""
    group = parser.getgroup("stepfunctions")
    group.addoption("--stepfunctions-seed", type=int, default=0, help="interleaving of what is due at the same moment")


@pytest.fixture
def stepfunctions(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """An engine in virtual time with functions registered by name."""
    harness = Harness(seed=request.config.getoption("--stepfunctions-seed", default=0), coverage=_coverage)
    yield harness
    harness.engine.close()


@pytest.fixture
def clock(stepfunctions: Harness) -> VirtualTime:
    """The time that `stepfunctions` lives by."""
    return VirtualTime(stepfunctions.engine)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report which states and branches no test has taken."""
    lines = _coverage.report()
    if lines:
        terminalreporter.section("state machine coverage")
        for line in lines:
            terminalreporter.write_line(line)
