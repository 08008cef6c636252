"""The sweep's own function: payloads in, verdicts and counts out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.adapters.observability import Broke
from lambdas.core.policy import Policy
from lambdas.core.steps.sweep import LedgerSweep
from lambdas.core.targets import AwsTarget, GcpTarget, Targets
from lambdas.sweep.handler import sweep_steps_handler
from tests.fakes.clock import FakeClock
from tests.fakes.context import Context
from tests.fakes.ledger import FakeLedger

FUNCTIONS = {"aws": "arn:aws-sweep", "gcp": "arn:gcp-sweep"}
TARGETS: Targets = {
    "aws": {"default": AwsTarget(), "payments": AwsTarget(name="payments", role_arn="arn:role")},
    "gcp": {"default": GcpTarget(project="shop")},
}
ORPHAN = {"cloud": "aws", "target": "default", "saga_id": "s1", "resource_id": "web", "cloud_id": "i-1"}
FOUND = {
    "cloud": "aws",
    "target": "default",
    "marked": 7,
    "orphans": [ORPHAN],
    "orphan_count": 1,
    "unknown": [],
    "unknown_count": 0,
}
DECIDE = {"step": "decide", "dry_run": False, "overdue": [], "needing_attention": 2, "found": [FOUND]}


def handle(event: dict[str, Any]) -> Any:
    clock = FakeClock()
    sweep = LedgerSweep(FakeLedger(clock), clock, Policy())
    return sweep_steps_handler(lambda: sweep, lambda: FUNCTIONS, lambda: TARGETS)(event, Context("skysaga-sweep"))


def gauges(output: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in output.splitlines():
        document = json.loads(line)
        for metric in document.get("_aws", {}).get("CloudWatchMetrics", []):
            if metric["Dimensions"] == [["service"]]:
                found |= {it["Name"]: document[it["Name"]][0] for it in metric["Metrics"]}
    return found


def test_it_begins_with_the_targets_to_look_at_and_what_the_ledger_says() -> None:
    assert handle({"step": "look", "input": {}}) == {
        "dry_run": False,
        "clouds": [
            {"cloud": "aws", "target": "default", "function": "arn:aws-sweep", "most": 50},
            {"cloud": "aws", "target": "payments", "function": "arn:aws-sweep", "most": 50},
            {"cloud": "gcp", "target": "default", "function": "arn:gcp-sweep", "most": 100},
        ],
        "overdue": [],
        "needing_attention": 0,
    }


def test_a_dry_run_is_carried_on() -> None:
    assert handle({"step": "look", "input": {"dry_run": True}})["dry_run"] is True


def test_an_input_it_does_not_know_is_refused() -> None:
    with pytest.raises(Broke, match=r"^look\.input\.dryrun: extra_forbidden$"):
        handle({"step": "look", "input": {"dryrun": True}})


def test_what_was_found_becomes_releases_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = handle(DECIDE)
    assert [(it["saga_id"], it["reason"]) for it in verdict["releases"]] == [("s1", "SWEEP")]
    assert (verdict["complete"], verdict["not_swept"]) == (True, [])
    assert gauges(capsys.readouterr().out) == {
        "SweepOrphans": 1,
        "SweepUnknown": 0,
        "SweepOverdue": 0,
        "SagasNeedingAttention": 2,
    }


def test_a_dry_run_releases_and_counts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = handle({**DECIDE, "dry_run": True})
    assert (len(verdict["orphans"]), verdict["releases"]) == (1, [])
    assert gauges(capsys.readouterr().out) == {}


def test_a_target_that_was_not_looked_at_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    missed = {"cloud": "aws", "target": "payments", "error": "TerminalError"}
    verdict = handle({**DECIDE, "found": [FOUND, missed]})
    assert (verdict["complete"], verdict["not_swept"]) == (False, [missed])
    assert gauges(capsys.readouterr().out)["SweepOrphans"] == 1
