"""An objective's alarms: whether its budget of failures is used up too fast, over a long window and still now.

As in Google's "Site Reliability Workbook", "Alerting on SLOs": 14.4 times as fast as the budget allows over an hour
uses a fiftieth of a month's, six times as fast over six hours a twentieth. The short window says that it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs.metrics import counted
from infra.constructs.runbooks import with_runbook
from infra.objectives import Objectives


class Window(NamedTuple):
    """Over which time failures are counted, by its name, and how many times too fast is an alarm."""

    name: str
    period: Duration
    factor: float
    long: bool


WINDOWS: Final = (
    (Window("1h", Duration.hours(1), 14.4, True), Window("5m", Duration.minutes(5), 14.4, False)),
    (Window("6h", Duration.hours(6), 6, True), Window("30m", Duration.minutes(30), 6, False)),
)
"""Long and short, an alarm where both are on."""

Metrics = Mapping[str, cloudwatch.IMetric]


class Objective(NamedTuple):
    """What is promised: a share of sagas, in percent. `bad` and `total` are expressions over `metrics` of a period."""

    name: str
    percent: float
    bad: str
    total: str
    metrics: Callable[[Duration], Metrics]
    what_to_do: str

    def burn(self, period: Duration, least: int) -> cloudwatch.MathExpression:
        """How many times as fast as the budget allows sagas failed in a period; 0 for less than `least` of them."""
        budget = round(1 - self.percent / 100, 6)
        return cloudwatch.MathExpression(
            expression=f"IF(({self.bad}) >= {least}, ({self.bad}) / ({self.total}) / {budget}, 0)",
            using_metrics=dict(self.metrics(period)),
            label=f"{self.name}: times too fast",
            period=period,
        )


def objectives(declared: Objectives) -> Sequence[Objective]:
    """Completion and recovery, as they are declared."""
    return [_completion(declared), _recovery(declared)]


def _completion(declared: Objectives) -> Objective:
    """Of the sagas that ended without having been kept: committed or undone in time is well."""
    within = f"TC(:{declared.within})"

    def metrics(period: Duration) -> Metrics:
        ended = {"c": "COMMITTED", "r": "ROLLED_BACK", "n": "NEEDS_ATTENTION"}
        well = {name: counted("SagaSeconds", within, period, ending=ended[name]) for name in ("c", "r")}
        every = {name: counted("SagaSeconds", "SampleCount", period, ending=ending) for name, ending in ended.items()}
        return {
            **{f"{name}_well": it for name, it in well.items()},
            **{f"{name}_all": it for name, it in every.items()},
        }

    total = _sum("c_all", "r_all", "n_all")
    return Objective(
        "completion",
        declared.completion,
        f"{total} - ({_sum('c_well', 'r_well')})",
        total,
        metrics,
        "Too many sagas neither commit nor are undone in time.",
    )


def _recovery(declared: Objectives) -> Objective:
    """Of the sagas that were undone or destroyed: leaving nothing behind is well."""

    def metrics(period: Duration) -> Metrics:
        ended = {"r": "ROLLED_BACK", "d": "RELEASED", "n": "NEEDS_ATTENTION"}
        return {name: counted("SagasEnded", "Sum", period, ending=ending) for name, ending in ended.items()}

    return Objective(
        "recovery",
        declared.recovery,
        _sum("n"),
        _sum("r", "d", "n"),
        metrics,
        "Too many sagas leave something behind when they are undone.",
    )


def _sum(*names: str) -> str:
    return " + ".join(f"FILL({name}, 0)" for name in names)


class BurnRate(Construct):
    """The alarms of one objective: one for each window, which notify nobody, and one over them, which does."""

    def __init__(self, scope: Construct, id: str, *, objective: Objective, least: int, topic: sns.ITopic) -> None:
        super().__init__(scope, id)
        self._objective = objective
        self._least = least
        self._section = f"skysaga-slo-{objective.name}"
        fast = [cloudwatch.AlarmRule.all_of(*map(self._on, pair)) for pair in WINDOWS]
        cloudwatch.CompositeAlarm(
            self,
            "Alarm",
            composite_alarm_name=self._section,
            alarm_description=with_runbook(self, objective.what_to_do, self._section),
            alarm_rule=cloudwatch.AlarmRule.any_of(*fast),
        ).add_alarm_action(actions.SnsAction(topic))

    def _on(self, window: Window) -> cloudwatch.IAlarmRule:
        meaning = f"Over {window.name} more than {window.factor:g} times the failures that the objective allows."
        alarm = cloudwatch.Alarm(
            self,
            window.name,
            alarm_name=f"{self._section}-{window.name}",
            alarm_description=with_runbook(self, meaning, self._section),
            metric=self._objective.burn(window.period, self._least if window.long else 1),
            threshold=window.factor,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)
