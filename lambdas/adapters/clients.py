"""AWS clients for our own backing services, made once per function instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_stepfunctions import SFNClient

_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "max_attempts": 3},
    tcp_keepalive=True,
)
"""Together well below a function's 30 seconds, so that a slow ledger ends as an error that is retried."""


def dynamodb() -> DynamoDBClient:
    """A client for the ledger's table."""
    return boto3.client("dynamodb", config=_CONFIG)


def stepfunctions() -> SFNClient:
    """A client for the state machines."""
    return boto3.client("stepfunctions", config=_CONFIG)
