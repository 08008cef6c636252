"""AWS clients for our own backing services, made once per function instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

_CONFIG: Final = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "max_attempts": 3},
    tcp_keepalive=True,
)
"""Together well below a function's 30 seconds, so that a slow ledger ends as an error that is retried."""


_SYNCHRONOUS: Final = Config(
    connect_timeout=2, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1}, tcp_keepalive=True
)
"""For a function that a caller waits for: below API Gateway's 30 seconds, and asked once."""


def dynamodb() -> DynamoDBClient:
    """A client for the ledger's table."""
    return boto3.client("dynamodb", config=_CONFIG)


def scheduler() -> Any:
    """A client for the schedules of sagas that expire."""
    return boto3.client("scheduler", config=_CONFIG)


def stepfunctions() -> SFNClient:
    """A client for the state machines."""
    return boto3.client("stepfunctions", config=_CONFIG)


def parameters() -> Any:
    """A client for the parameters that hold targets and grants."""
    return boto3.client("ssm", config=_CONFIG)


def secrets() -> Any:
    """A client for the passwords of private clusters."""
    return boto3.client("secretsmanager", config=_CONFIG)


def queue() -> SQSClient:
    """A client for the queue of a cluster; a call that waits for messages waits for at most twenty seconds."""
    return boto3.client("sqs", config=_SYNCHRONOUS.merge(Config(read_timeout=30)))


def queues() -> SQSClient:
    """A client that asks how full queues are."""
    return boto3.client("sqs", config=_CONFIG)


def storage() -> S3Client:
    """A client for the bucket that costs are kept in; a page or a window may be large."""
    return boto3.client("s3", config=_CONFIG.merge(Config(read_timeout=60)))


def functions() -> Any:
    """A client for functions that are called while somebody waits."""
    return boto3.client("lambda", config=_SYNCHRONOUS)


def athena() -> AthenaClient:
    """A client for questions about costs; the waiting between its calls is ours."""
    return boto3.client("athena", config=_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2})))


def events() -> Any:
    """A client for the account's own event bus."""
    return boto3.client("events", config=_CONFIG)
