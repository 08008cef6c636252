"""The watch over private clusters: how old each one's last report is, as an alarm sees it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.watch.handler import Watched, watch_handler
from tests.fakes.clock import FakeClock
from tests.fakes.clusters import FakeClusters
from tests.fakes.ledger import FakeLedger
from tests.fakes.reports import cluster_settings, survey


class Context(LambdaContext):
    def __init__(self) -> None:
        self._function_name = "skysaga-clusters-watch"
        self._memory_limit_in_mb = 256
        self._invoked_function_arn = "arn"
        self._aws_request_id = "request"


def ages(silent: dict[str, timedelta], output: Any) -> dict[str, float]:
    """What is measured of clusters that have been silent for so long."""
    clock = FakeClock()
    clusters = FakeClusters(FakeLedger(clock))
    for name, age in silent.items():
        clusters.report(cluster_settings(name), survey(clock.now() - age))
    watch_handler(lambda: Watched(clusters, clock))({}, Context())
    return dict(measured(output.readouterr().out))


def measured(output: str) -> list[tuple[str, float]]:
    found = []
    for document in map(json.loads, output.splitlines()):
        for metric in document.get("_aws", {}).get("CloudWatchMetrics", []):
            if {it["Name"] for it in metric["Metrics"]} == {"ClusterReportAge"}:
                assert (metric["Namespace"], set(metric["Dimensions"][0])) == ("skysaga", {"service", "cluster"})
                found.append((document["cluster"], document["ClusterReportAge"][0]))
    return found


def test_the_age_of_every_clusters_last_report_is_measured_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    silent = {"berlin-1": timedelta(seconds=42), "ulm-1": timedelta(minutes=10)}

    assert ages(silent, capsys) == {"berlin-1": 42, "ulm-1": 600}


def test_a_cluster_that_may_be_gone_is_not_measured_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    silent = {"berlin-1": timedelta(seconds=42), "gone": timedelta(days=1, seconds=1)}

    assert ages(silent, capsys) == {"berlin-1": 42}


def test_before_anything_was_reported_nothing_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert ages({}, capsys) == {}
