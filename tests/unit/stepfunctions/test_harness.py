"""The pytest plugin as its users see it: fixtures, assertions and the coverage report."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local.stepfunctions.coverage import Coverage
from local.stepfunctions.engine import Engine
from local.stepfunctions.harness import Harness
from tests.unit.stepfunctions.machines import chain, task

MACHINE = chain(
    T=task("f", Retry=[{"ErrorEquals": ["ValueError"]}], Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]),
    C={"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericEquals": 1, "Next": "Caught"}], "Default": "Caught"},
    Caught={"Type": "Succeed"},
)


def test_coverage_counts_states_and_the_branches_of_choice_retry_and_catch() -> None:
    coverage = Coverage()
    harness = Harness(coverage=coverage)
    harness.function("f", lambda event: {"n": 1})
    harness.run(MACHINE)
    assert coverage.report() == [
        "machine-0: states 3/3, branches 1/4",
        "  never taken: C Default",
        "  never taken: T Catch[0]",
        "  never taken: T Retry[0]",
    ]


def test_a_path_that_differs_says_both(stepfunctions: Harness) -> None:
    run = stepfunctions.run(chain(A={"Type": "Pass"}, B={"Type": "Pass"}))
    run.assert_path("A", "B")
    run.assert_visited("B")
    with pytest.raises(AssertionError, match="took A > B, expected B"):
        run.assert_path("B")


def test_a_users_own_test_needs_the_plugin_and_nothing_else(tmp_path: Path) -> None:
    definition = tmp_path / "hour.asl.json"
    definition.write_text(json.dumps(chain(W={"Type": "Wait", "Seconds": 3600}, T=task("f"))))
    test = tmp_path / "test_hour.py"
    test.write_text(
        "from pathlib import Path\n"
        "def test_an_hour(stepfunctions, clock):\n"
        "    stepfunctions.function('f', lambda event: 'done')\n"
        f"    run = stepfunctions.start(Path({str(definition)!r}))\n"
        "    clock.advance(hours=1)\n"
        "    assert run.output == 'done'\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "local.stepfunctions.pytest_plugin", "-c", "/dev/null", str(test)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd())  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
    assert "hour: states 2/2, branches 0/0" in result.stdout


def test_mocked_responses_follow_the_file_of_step_functions_local(tmp_path: Path) -> None:
    config = tmp_path / "mocks.json"
    responses = {"0": {"Throw": {"Error": "Flaky", "Cause": "c"}}, "1-2": {"Return": {"ok": True}}}
    config.write_text(
        json.dumps(
            {
                "StateMachines": {"m": {"TestCases": {"Retried": {"T": "Answer"}}}},
                "MockedResponses": {"Answer": responses},
            }
        )
    )
    harness = Harness()
    engine = Engine(clock=harness.clock, mocks=config)
    machine = engine.create_state_machine("m", chain(T=task("f", Retry=[{"ErrorEquals": ["Flaky"]}])))
    arn = engine.start_execution(f"{machine}#Retried")
    engine.run()
    assert engine.execution(arn).output_text == '{"ok":true}'
