"""A log group: encrypted with our key, kept for a month, and gone with its stack."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.keys import OperationsKey

RETENTION: Final = logs.RetentionDays.ONE_MONTH


def log_group(scope: Construct, id: str, name: str) -> logs.LogGroup:
    """Make the log group `name`, which must be one that the key's policy knows (`keys.py`)."""
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        encryption_key=OperationsKey.of(scope),
        retention=RETENTION,
        removal_policy=RemovalPolicy.DESTROY,
    )
