"""What is measured of the whole, what it promises, and where people look at it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.application import build_application
from infra.constructs.log_queries import QUERIES
from infra.declaration import BadDeclaration
from infra.objectives import Objectives, TraceExport
from infra.packaging.bundles import ROOT
from tests.infra.template import Template, text

ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def every(assembly: Path) -> list[Template]:
    return [Template(path) for path in sorted(assembly.glob("*.template.json"))]


def alarms(*templates: Template) -> dict[str, dict[str, Any]]:
    return {it["AlarmName"]: it for template in templates for type_ in ALARMS for it in template.properties(type_)}


def sections() -> set[str]:
    """The addresses of the operating page's headings, as readers of Markdown make them."""
    page = (ROOT / "docs" / "operations.md").read_text()
    return {re.sub(r"[^a-z0-9 -]", "", it.lower()).replace(" ", "-") for it in re.findall(r"^#+ (.+)$", page, re.M)}


def test_every_alarm_of_every_stack_ends_with_the_address_of_its_section(assembly: Path) -> None:
    known, named = sections(), set()
    for name, alarm in alarms(*every(assembly)).items():
        address, _, section = alarm["AlarmDescription"].rpartition(" Runbook: ")[2].partition("#")
        assert address == "docs/operations.md", name
        assert section in known, name
        named.add(section)
    assert {it for it in known if it.startswith("skysaga-")} == named


def test_the_page_may_be_anywhere(deployed: Path) -> None:
    for name, alarm in alarms(*every(deployed)).items():
        assert "Runbook: https://wiki.example/skysaga/operations#skysaga-" in alarm["AlarmDescription"], name


def test_all_alarms_for_people_reach_the_topic(telemetry: Template) -> None:
    found = alarms(telemetry)
    notifying = {name for name, it in found.items() if it.get("AlarmActions")}

    assert notifying == {"skysaga-saga-overdue", "skysaga-slo-completion", "skysaga-slo-recovery"}
    for name in notifying:
        (topic,) = map(text, found[name]["AlarmActions"])
        assert "AlarmsTopic" in topic


def test_a_saga_is_overdue_when_it_takes_longer_than_is_promised_or_nobody_measures(telemetry: Template) -> None:
    overdue = alarms(telemetry)["skysaga-saga-overdue"]

    assert (overdue["Namespace"], overdue["MetricName"]) == ("skysaga", "OldestUnfinishedSaga")
    assert (overdue["Threshold"], overdue["TreatMissingData"]) == (Objectives().within, "breaching")


@pytest.mark.parametrize("objective", ["completion", "recovery"])
def test_an_objective_alarms_where_a_long_window_and_its_short_one_are_both_on(
    telemetry: Template, objective: str
) -> None:
    windows = {it["AlarmName"]: name for name, it in of_type(telemetry, ALARMS[0]).items()}
    on = {name: f'ALARM("{{{windows[f"skysaga-slo-{objective}-{name}"]}.Arn}}")' for name in ("1h", "5m", "6h", "30m")}
    rule = text(alarms(telemetry)[f"skysaga-slo-{objective}"]["AlarmRule"])

    assert rule == f"(({on['1h']} AND {on['5m']}) OR ({on['6h']} AND {on['30m']}))"


def of_type(template: Template, type_: str) -> dict[str, dict[str, Any]]:
    return {name: it["Properties"] for name, it in template.resources(type_).items()}


def burned(alarm: dict[str, Any], values: dict[tuple[str, str], float]) -> float:
    """What an alarm's expression is, as CloudWatch reckons it, of values by statistic and ending."""
    found = {}
    (expression,) = [it["Expression"] for it in alarm["Metrics"] if "Expression" in it]
    for it in alarm["Metrics"]:
        if "MetricStat" in it:
            (ending,) = [by["Value"] for by in it["MetricStat"]["Metric"]["Dimensions"] if by["Name"] == "ending"]
            found[it["Id"]] = values.get((it["MetricStat"]["Stat"], ending))
    functions = {
        "FILL": lambda value, other: other if value is None else value,
        "IF": lambda condition, then, otherwise: then() if condition else otherwise,
    }
    # in CloudWatch a division by zero is no data; here the branch is not taken
    lazy = re.sub(r"^IF\((.*), (\(.*), 0\)$", r"IF(\1, lambda: \2, 0)", expression)
    return float(eval(lazy, {**functions, **found}))  # noqa: S307 - an expression of our own template


@pytest.mark.parametrize(
    ("ended", "well", "burn"),
    [
        ({}, {}, 0),
        ({"COMMITTED": 90, "ROLLED_BACK": 10}, {"COMMITTED": 90, "ROLLED_BACK": 10}, 0),
        ({"COMMITTED": 90, "ROLLED_BACK": 10}, {"COMMITTED": 80, "ROLLED_BACK": 10}, 10),
        ({"COMMITTED": 5, "NEEDS_ATTENTION": 5}, {"COMMITTED": 5}, 50),
        ({"COMMITTED": 3, "NEEDS_ATTENTION": 1}, {"COMMITTED": 3}, 0),  # one of a few says little
    ],
)
def test_completion_burns_by_what_needs_attention_or_comes_late(
    telemetry: Template, ended: dict[str, int], well: dict[str, int], burn: float
) -> None:
    values = {("SampleCount", ending): float(number) for ending, number in ended.items()}
    values |= {(f"TC(:{Objectives().within})", ending): float(number) for ending, number in well.items()}

    assert burned(alarms(telemetry)["skysaga-slo-completion-1h"], values) == pytest.approx(burn)


@pytest.mark.parametrize(
    ("ended", "burn"),
    [
        ({"COMMITTED": 100}, 0),
        ({"ROLLED_BACK": 96, "RELEASED": 2, "NEEDS_ATTENTION": 2}, 20),
        ({"NEEDS_ATTENTION": 1}, 0),
    ],
)
def test_recovery_burns_by_what_was_left_behind(telemetry: Template, ended: dict[str, int], burn: float) -> None:
    values = {("Sum", ending): float(number) for ending, number in ended.items()}

    assert burned(alarms(telemetry)["skysaga-slo-recovery-6h"], values) == pytest.approx(burn)


@pytest.mark.parametrize(
    ("window", "seconds", "factor"), [("1h", 3600, 14.4), ("5m", 300, 14.4), ("6h", 21600, 6), ("30m", 1800, 6)]
)
def test_a_window_is_as_long_and_as_strict_as_the_workbook_says(
    telemetry: Template, window: str, seconds: int, factor: float
) -> None:
    for objective in ("completion", "recovery"):
        alarm = alarms(telemetry)[f"skysaga-slo-{objective}-{window}"]
        assert alarm["Threshold"] == factor
        assert {it["MetricStat"]["Period"] for it in alarm["Metrics"] if "MetricStat" in it} == {seconds}


@pytest.mark.parametrize("document", [{"completion": 94}, {"recovery": 100}, {"within": 1}, {"least": 0}, {"speed": 1}])
def test_an_objective_that_cannot_be_is_refused(document: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BadDeclaration, match=f"slo.{next(iter(document))}"):
        build_application(outdir=str(tmp_path), context={"bundle": "host", "slo": document})


@pytest.mark.parametrize(
    "document", [{}, {"endpoint": "http://otlp.example"}, {"endpoint": "https://o.example", "headers": "a=b"}]
)
def test_traces_go_nowhere_in_the_clear_and_no_header_stands_in_the_context(document: dict[str, Any]) -> None:
    class Context:
        node = property(lambda self: self)

        def try_get_context(self, _: str) -> Any:
            return document or {"headers_secret": "a"}

    with pytest.raises(BadDeclaration, match=r"otlp\."):
        TraceExport.from_context(Context())  # type: ignore[arg-type]  # all that is asked of a construct


def test_no_function_exports_traces_unless_the_deployment_says_so(assembly: Path) -> None:
    for template in every(assembly):
        for name, function in template.functions().items():
            assert not [it for it in function["Environment"]["Variables"] if "OTLP" in it], name


def test_where_it_does_every_function_exports_them_and_may_read_the_headers(deployed: Path) -> None:
    for template in every(deployed):
        for name, function in template.functions().items():
            variables = function["Environment"]["Variables"]
            assert variables["OTEL_EXPORTER_OTLP_ENDPOINT"] == "https://otlp.example:4318", name
            assert variables["OTLP_HEADERS_SECRET"] == "skysaga/otlp", name
            secrets = [
                text(arn)
                for it in template.statements(function["Role"])
                if it["Action"] == ["secretsmanager:GetSecretValue"]
                for arn in it["Resource"]
            ]
            assert any(it.endswith(":secret:skysaga/otlp-??????") for it in secrets), name


def test_every_function_is_traced_and_named_in_its_logs_and_metrics(assembly: Path) -> None:
    functions = [it for template in every(assembly) for it in template.functions().values()]

    assert len(functions) > 20
    assert {it["TracingConfig"]["Mode"] for it in functions} == {"Active"}
    assert {it["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for it in functions} == {"skysaga"}


def test_every_state_machine_goes_on_with_the_trace_that_it_is_started_with(assembly: Path) -> None:
    machines = [it for template in every(assembly) for it in template.machines().values()]

    assert len(machines) == 4
    assert all(it["TracingConfiguration"] == {"Enabled": True} for it in machines)


def test_saved_queries_look_through_every_functions_log(assembly: Path, telemetry: Template) -> None:
    groups = {f"/aws/lambda/{name}" for template in every(assembly) for name in template.functions()}
    queries = telemetry.properties("AWS::Logs::QueryDefinition")

    assert {it["Name"] for it in queries} == {f"skysaga/{name}" for name in QUERIES}
    for it in queries:
        assert set(it["LogGroupNames"]) == groups


def dashboard(telemetry: Template) -> list[dict[str, Any]]:
    widgets: list[dict[str, Any]] = json.loads(
        text(telemetry.only("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"])
    )["widgets"]
    return widgets


def shown(telemetry: Template) -> set[str]:
    """Every metric of ours on the dashboard."""
    body = json.dumps(dashboard(telemetry)).replace("\\", "")
    return set(re.findall(r"""\["skysaga", "(\w+)\"""", body)) | set(
        re.findall(r'{skysaga,[\w,]+} MetricName="(\w+)"', body)
    )


def test_the_dashboard_answers_every_question(telemetry: Template) -> None:
    assert shown(telemetry) >= {
        "SagasEnded", "SagaSeconds", "TimeToReady", "TimeToRolledBack", "Retries", "FaultsRecovered", "SweepOrphans",
        "OldestUnfinishedSaga", "QueueDepth", "WorkerSlots", "WorkerSlotsInUse", "BillingFreshness", "StepsFailed",
    }  # fmt: skip
    titles = " ".join(it["properties"]["title"] for it in dashboard(telemetry))
    assert all(it in titles for it in ("Completion", "Recovery", "of a call, p50 and p99", "Calls that failed (5xx)"))


def test_the_widgets_fill_the_dashboards_rows_and_do_not_overlap(telemetry: Template) -> None:
    taken = [(x, it["y"]) for it in dashboard(telemetry) for x in range(it["x"], it["x"] + it["width"])]

    assert len(taken) == len(set(taken)) == 24 * len({y for _, y in taken})


def test_the_page_tells_of_every_metric_that_is_looked_at(assembly: Path, telemetry: Template) -> None:
    page = (ROOT / "docs" / "telemetry.md").read_text()
    told = set(re.findall(r"^\| `([A-Z]\w+)` \|", page, re.M))
    watched = {
        metric["MetricName"]
        for alarm in alarms(*every(assembly)).values()
        for metric in [alarm, *(it["MetricStat"]["Metric"] for it in alarm.get("Metrics", []) if "MetricStat" in it)]
        if metric.get("Namespace") == "skysaga"
    }

    assert watched | shown(telemetry) <= told


def test_what_measures_reads_and_changes_nothing(telemetry: Template) -> None:
    reading = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "kms:Decrypt", "kms:DescribeKey"}
    own = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}

    actions = telemetry.actions(telemetry.functions()["skysaga-gauges"]["Role"])
    assert actions == own | reading | {"sqs:GetQueueAttributes", "ssm:GetParameters"}


def test_it_measures_every_minute(telemetry: Template) -> None:
    schedule = telemetry.only("AWS::Scheduler::Schedule")["Properties"]

    assert (schedule["Name"], schedule["ScheduleExpression"]) == ("skysaga-gauges", "rate(1 minute)")
