"""One dashboard: a row for each question that whoever operates this has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.burn_rate import WINDOWS, Objective
from infra.constructs.metrics import counted, every, searched

NAME: Final = "skysaga"

_MINUTE: Final = Duration.minutes(1)
_FIVE_MINUTES: Final = Duration.minutes(5)
_HOUR: Final = Duration.hours(1)
_COLUMNS: Final = 24
_HEIGHT: Final = 6


class Graph(NamedTuple):
    """A graph of metrics, with a line where an alarm goes off if there is one."""

    title: str
    metrics: Sequence[cloudwatch.IMetric]
    stacked: bool = False
    alarm: float | None = None


class OperationsDashboard(Construct):
    """The dashboard `skysaga`; what there are clusters, sources, clouds and endings of, it finds by itself."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        objectives: Sequence[Objective],
        api_ids: Sequence[str],
        clusters: bool,
        costs: bool,
    ) -> None:
        super().__init__(scope, id)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=NAME, default_interval=Duration.hours(24))
        rows = [
            _promises(objectives),
            _sagas(),
            _durations(),
            _troubles(),
            *([_clusters()] if clusters else []),
            *([_costs()] if costs else []),
            _steps(),
            _api(api_ids),
        ]
        for row in rows:
            dashboard.add_widgets(*(_widget(it, _COLUMNS // len(row)) for it in row))


def _promises(objectives: Sequence[Objective]) -> list[Graph]:
    """How fast each objective's budget is used up over each long window; an alarm is where a line is passed."""
    return [
        _graph(
            f"{it.name.capitalize()}, {it.percent:g} %: over {long.name}, times as fast as allowed",
            it.burn(long.period, 1),
            alarm=long.factor,
        )
        for it in objectives
        for long, _ in WINDOWS
    ]


def _sagas() -> list[Graph]:
    return [
        _graph("Sagas by ending", every("SagasEnded", "Sum", _HOUR, "ending"), stacked=True),
        _graph("Oldest unfinished saga, in seconds", counted("OldestUnfinishedSaga", "Maximum", _MINUTE)),
        _graph("Seconds of a saga, p50", every("SagaSeconds", "p50", _HOUR, "ending")),
        _graph("Sagas that need attention", counted("SagasNeedingAttention", "Maximum", _HOUR)),
    ]


def _durations() -> list[Graph]:
    shown = (("TimeToReady", "Seconds to ready"), ("TimeToRolledBack", "Seconds to rolled back"))
    return [
        _graph(f"{title} by provider, {share}", every(metric, share, _HOUR, "provider"))
        for metric, title in shown
        for share in ("p50", "p99")
    ]


def _troubles() -> list[Graph]:
    return [
        _graph("Retries by provider", every("Retries", "Sum", _HOUR, "provider")),
        _graph("Faults recovered by provider", every("FaultsRecovered", "Sum", _HOUR, "provider")),
        _graph(
            "What sweeps found",
            *(counted(f"Sweep{found}", "Maximum", _HOUR) for found in ("Orphans", "Unknown", "Overdue")),
        ),
    ]


def _clusters() -> list[Graph]:
    return [
        _graph("Tasks that wait, by cluster", every("QueueDepth", "Maximum", _MINUTE, "cluster")),
        _graph("Slots, by cluster", every("WorkerSlots", "Minimum", _MINUTE, "cluster")),
        _graph("Slots in use, by cluster", every("WorkerSlotsInUse", "Maximum", _MINUTE, "cluster")),
        _graph("Age of the last report, in seconds", every("ClusterReportAge", "Maximum", _MINUTE, "cluster")),
    ]


def _costs() -> list[Graph]:
    return [
        _graph("Seconds since a source was read", every("BillingFreshness", "Maximum", _FIVE_MINUTES, "source")),
        _graph("Hours that were never read", every("BillingWindowsBehind", "Maximum", _HOUR, "source")),
        _graph("Sources that are late", counted("BillingLateSources", "Maximum", _HOUR)),
    ]


def _steps() -> list[Graph]:
    functions = "{AWS/Lambda,FunctionName} FunctionName=skysaga"
    return [
        _graph("Steps that failed, by error", every("StepsFailed", "Sum", _FIVE_MINUTES, "step", "error")),
        _graph("Calls of functions that broke", searched(f'{functions} MetricName="Errors"', "Sum", _FIVE_MINUTES)),
        _graph("Calls that were too many", searched(f'{functions} MetricName="Throttles"', "Sum", _FIVE_MINUTES)),
    ]


def _api(ids: Sequence[str]) -> list[Graph]:
    def of(metric: str, statistic: str) -> list[cloudwatch.IMetric]:
        return [
            cloudwatch.Metric(
                namespace="AWS/ApiGateway",
                metric_name=metric,
                dimensions_map={"ApiId": it},
                statistic=statistic,
                period=_FIVE_MINUTES,
            )
            for it in ids
        ]

    return [
        _graph("Calls of the API", *of("Count", "Sum")),
        _graph("Milliseconds of a call, p50 and p99", *of("Latency", "p50"), *of("Latency", "p99")),
        _graph("Calls refused (4xx)", *of("4xx", "Sum")),
        _graph("Calls that failed (5xx)", *of("5xx", "Sum")),
    ]


def _graph(title: str, *metrics: cloudwatch.IMetric, stacked: bool = False, alarm: float | None = None) -> Graph:
    return Graph(title, metrics, stacked, alarm)


def _widget(graph: Graph, width: int) -> cloudwatch.GraphWidget:
    line = [] if graph.alarm is None else [cloudwatch.HorizontalAnnotation(value=graph.alarm, label="alarm")]
    return cloudwatch.GraphWidget(
        title=graph.title,
        left=list(graph.metrics),
        left_annotations=line,
        stacked=graph.stacked,
        width=width,
        height=_HEIGHT,
    )
