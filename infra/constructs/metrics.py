"""Our own metrics in CloudWatch, by the names that functions give them."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE: Final = "skysaga"
SERVICE: Final = {"service": "skysaga"}


def counted(metric: str, statistic: str, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    """One metric of ours, by the service and `dimensions`."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=metric,
        dimensions_map={**SERVICE, **dimensions},
        statistic=statistic,
        period=period,
    )


def every(metric: str, statistic: str, period: Duration, *dimensions: str) -> cloudwatch.MathExpression:
    """A metric of ours for every value that its `dimensions` have, whichever there are."""
    schema = ",".join([NAMESPACE, *SERVICE, *dimensions])
    return searched(f'{{{schema}}} MetricName="{metric}"', statistic, period)


def searched(terms: str, statistic: str, period: Duration) -> cloudwatch.MathExpression:
    """All metrics that CloudWatch's search finds."""
    seconds = int(period.to_seconds())
    return cloudwatch.MathExpression(expression=f"SEARCH('{terms}', '{statistic}', {seconds})", label="", period=period)
