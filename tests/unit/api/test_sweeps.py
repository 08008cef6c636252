"""Sweeps over HTTP: who may start them, and what they tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lambdas.core.access import Grant
from lambdas.core.ports.sweeps import SweepStatus
from lambdas.core.steps.sweep import SweepResult
from tests.unit.api.conftest import CALLER, Answer, Api

MAY_SWEEP = Grant(callers=[CALLER], sweeps="run")
JSON = {"content-type": "application/json"}
FOUND: SweepResult = {
    "orphans": [{"cloud": "aws", "target": "default", "saga_id": "s1", "resource_id": "web", "cloud_id": "i-1"}],
    "unknown": [],
    "overdue": [{"saga_id": "s2", "status": "PENDING", "reason": "COMPENSATE"}],
    "releases": [{"saga_id": "s1", "reason": "SWEEP", "name": "s1-sweep-2026112212"}],
    "not_swept": [{"cloud": "gcp", "target": "default", "error": "RetryableError"}],
    "complete": False,
}


def start(calls: Api, body: str = '{"dry_run": true}', headers: dict[str, str] | None = None) -> Answer:
    return calls.call("POST", "/sweeps", body, JSON if headers is None else headers)


@pytest.fixture(name="granted")
def _granted(calls: Api) -> Api:
    calls.access.grants = [MAY_SWEEP]
    return calls


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_sweep_is_started_and_told_where_to_look_at(granted: Api, dry_run: bool) -> None:
    answer = start(granted, f'{{"dry_run": {str(dry_run).lower()}}}')
    ((sweep_id, sweep),) = granted.sweeps.started.items()
    assert (answer.status, answer.headers["Location"]) == (202, f"/sweeps/{sweep_id}")
    assert sweep.dry_run is dry_run
    assert answer.body == {
        "id": sweep_id,
        "status": "RUNNING",
        "dry_run": dry_run,
        "started_at": "2026-11-22T12:00:00.000Z",
        "ended_at": None,
        "result": None,
        "error": None,
    }
    assert granted.call("GET", f"/sweeps/{sweep_id}").body == answer.body


def test_a_sweep_that_has_ended_tells_what_it_found_and_started(granted: Api) -> None:
    sweep_id = start(granted).body["id"]
    ended = granted.world.clock.now() + timedelta(minutes=2)
    granted.sweeps.end(sweep_id, SweepStatus.INCOMPLETE, ended, FOUND)
    shown = granted.call("GET", f"/sweeps/{sweep_id}").body
    assert (shown["status"], shown["ended_at"]) == ("INCOMPLETE", "2026-11-22T12:02:00.000Z")
    assert shown["result"] == {name: value for name, value in FOUND.items() if name != "complete"}


def test_a_sweep_that_failed_says_why(granted: Api) -> None:
    sweep_id = start(granted).body["id"]
    granted.sweeps.end(sweep_id, SweepStatus.FAILED, granted.world.clock.now(), error="NotSwept: no ledger")
    shown = granted.call("GET", f"/sweeps/{sweep_id}").body
    assert (shown["status"], shown["result"], shown["error"]) == ("FAILED", None, "NotSwept: no ledger")


@pytest.mark.parametrize(
    "grants", [[], [Grant(callers=[CALLER], sagas="all", costs="all", clusters="drain", targets=["*/*"])]]
)
def test_without_the_grant_nobody_sweeps_or_sees_sweeps(calls: Api, grants: list[Grant]) -> None:
    calls.access.grants = grants
    for answer in (start(calls), calls.call("GET", "/sweeps/sweep-1")):
        assert (answer.status, answer.problems) == (403, {})
        assert '"sweeps": "run"' in answer.body["detail"]
    assert calls.sweeps.started == {}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("", 400, "(document)"),
        ("[]", 422, "(document)"),
        ("{}", 422, "dry_run"),
        ('{"dry_run": "yes"}', 422, "dry_run"),
        ('{"dry_run": null}', 422, "dry_run"),
        ('{"dry_run": true, "cloud": "aws"}', 422, "cloud"),
    ],
)
def test_whether_it_only_looks_must_be_said_and_nothing_else(granted: Api, body: str, status: int, field: str) -> None:
    answer = start(granted, body)
    assert (answer.status, list(answer.problems)) == (status, [field])
    assert granted.sweeps.started == {}


def test_an_order_is_json_and_nothing_else(granted: Api) -> None:
    answer = start(granted, "dry_run: true", {"content-type": "application/yaml"})
    assert (answer.status, answer.problems) == (415, {"Content-Type": "send application/json"})


def test_a_sweep_that_does_not_exist_is_a_problem(granted: Api) -> None:
    answer = granted.call("GET", "/sweeps/sweep-of-long-ago")
    assert (answer.status, answer.problems, answer.body["type"]) == (404, {}, "/problems/no-such-sweep")


def test_step_functions_that_do_not_answer_are_unavailable(granted: Api) -> None:
    granted.sweeps.unavailable = 1
    assert start(granted).status == 503


def test_two_sweeps_are_two(granted: Api) -> None:
    ids: list[Any] = [start(granted).body["id"] for _ in range(2)]
    assert ids[0] != ids[1]
