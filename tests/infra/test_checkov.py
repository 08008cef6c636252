"""What checkov says of every template, as it is deployed; what is accepted has its reason beside the resource."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.packaging.bundles import ROOT

CHECKOV = ROOT / ".venv" / "checks" / "bin" / "checkov"


@pytest.fixture(name="results", scope="module")
def _results(deployed: Path) -> dict[str, Any]:
    assert CHECKOV.exists(), "run `make .venv/checks/.ready` first"
    command = [str(CHECKOV), "--directory", str(deployed), "--framework", "cloudformation", "--output", "json"]
    outcome = subprocess.run(  # noqa: S603 - our own checker on our own templates
        [*command, "--compact", "--skip-download"], capture_output=True, text=True, check=False
    )
    report: dict[str, Any] = json.loads(outcome.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["resource_count"] > 100
    results: dict[str, Any] = report["results"]
    return results


def test_nothing_is_found_that_is_not_answered(results: dict[str, Any]) -> None:
    assert [(it["check_id"], it["resource"]) for it in results["failed_checks"]] == []


def test_every_check_that_is_skipped_has_a_reason(results: dict[str, Any]) -> None:
    skipped = results["skipped_checks"]

    assert skipped
    assert all(len(it["check_result"]["suppress_comment"]) > 30 for it in skipped)
