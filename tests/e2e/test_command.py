"""The command against what is deployed: signed for real, followed for real, and with documents as they are promised."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result

from cli.__main__ import main
from local.machine import REGION
from tests.e2e.conftest import Deployment
from tests.e2e.private import grants
from tests.unit.cli.documented import departures

DISKS = """\
name: command
labels: {team: payments}
preflight: false
resources:
  - {id: one, provider: gcp, kind: disk, zone: europe-west1-b, spec: {size_gb: 10}}
  - {id: two, provider: gcp, kind: disk, zone: europe-west1-b, depends_on: [one], spec: {size_gb: 10}}
"""
LOCAL = "arn:aws:iam::123456789012:user/local"

Run = Callable[..., Result]


@pytest.fixture(name="run")
def _run(deployment: Deployment, tmp_path: Path) -> Iterator[Run]:
    request = tmp_path / "disks.yaml"
    request.write_text(DISKS)
    environment = {
        "SKYSAGA_ENDPOINT": deployment.endpoints.api,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
    }

    def run(line: str, **more: str) -> Result:
        words = [str(request) if it == "FILE" else it for it in line.split()]
        return CliRunner(env={**environment, **more}).invoke(main, words)

    yield run
    requests.delete(f"{deployment.endpoints.gcp}/_simulator/faults", timeout=10)
    assert deployment.held() == []


def as_promised(result: Result) -> list[dict[str, Any]]:
    """The documents that a verb printed; each is as docs/command.md has it."""
    text = result.stdout
    documents = [json.loads(it) for it in text.splitlines()] if text.startswith('{"') else [json.loads(text)]
    wrong = {it["schema"]: found for it in documents if (found := departures(it, whole=False))}
    assert wrong == {}
    return documents


def arm(deployment: Deployment, operation: str, fault: str) -> None:
    faults = [{"operation": operation, "fault": fault, "times": 1}]
    requests.post(f"{deployment.endpoints.gcp}/_simulator/faults", json=faults, timeout=10).raise_for_status()


def test_from_a_plan_to_the_end_of_it(deployment: Deployment, run: Run) -> None:
    planned = run("plan FILE -o json")
    assert planned.exit_code == 0, planned.output
    assert as_promised(planned)[0]["order"] == [["one"], ["two"]]

    arm(deployment, "disks.insert", "error")
    accepted, *events, saga = as_promised(run("apply FILE --timeout 60s -o json"))
    assert (accepted["schema"], saga["status"]) == ("skysaga.accepted.v1", "COMMITTED")
    assert [it["seq"] for it in events] == list(range(1, saga["version"] + 1))

    saga_id = saga["id"]
    watched = run(f"watch {saga_id}")
    assert (watched.exit_code, watched.stdout.splitlines()[-2]) == (0, f"saga {saga_id}  COMMITTED")
    assert as_promised(run(f"events {saga_id} -o json"))[0]["items"] == [
        {name: value for name, value in it.items() if name != "schema"} for it in events
    ]
    listed = as_promised(run("list --status COMMITTED --label team=payments --name comm* -o json"))[0]["items"]
    assert saga_id in [it["id"] for it in listed]
    assert as_promised(run(f"get {saga_id} -o json"))[0]["status"] == "COMMITTED"
    assert run(f"cancel {saga_id}").exit_code == 1

    destroyed = run(f"destroy {saga_id} --wait --timeout 60s")
    assert destroyed.exit_code == 0, destroyed.output
    assert f"saga {saga_id}  RELEASED" in destroyed.stdout


def test_what_is_rolled_back_ends_with_1_and_says_because_of_what(deployment: Deployment, run: Run) -> None:
    arm(deployment, "disks.insert", "capacity")
    result = run("apply FILE --timeout 60s")
    assert result.exit_code == 1, result.output
    assert "because of one: " in result.stdout
    assert "ROLLED_BACK" in result.stdout


def test_what_is_cancelled_is_gone_when_the_command_ends(run: Run) -> None:
    accepted = as_promised(run("apply FILE --no-wait -o json"))[0]
    result = run(f"cancel {accepted['id']} --wait --timeout 60s")
    assert result.exit_code == 0, result.output
    assert run(f"watch {accepted['id']}").exit_code == 1


def test_a_sweep_is_for_those_who_were_granted_it_and_is_as_promised(deployment: Deployment, run: Run) -> None:
    refused = run("sweep --dry-run")
    assert refused.exit_code == 2
    assert "grant" in refused.stderr
    grants(deployment, [{"callers": [LOCAL], "sweeps": "run"}])
    try:
        swept = run("sweep --dry-run --timeout 60s -o json")
    finally:
        grants(deployment, [])
    assert swept.exit_code == 0, swept.output
    (document,) = as_promised(swept)
    assert (document["status"], document["dry_run"], document["result"]["releases"]) == ("COMPLETE", True, [])


def test_somebody_else_s_key_is_not_let_in_and_the_doctor_says_so(run: Run) -> None:
    wrong = run("list", AWS_SECRET_ACCESS_KEY="another")
    assert wrong.exit_code == 2
    examined = run("doctor -o json", AWS_SECRET_ACCESS_KEY="another")
    assert examined.exit_code == 1
    assert [it["subject"] for it in as_promised(examined)[0]["checks"] if it["state"] == "missing"] == ["authorized"]
