"""AWS clients for our own backing services, made once per function instance.

They are botocore's own, which is what `boto3.client` returns: to import boto3 loads S3's transfer manager as well, and
with it multiprocessing. Only who hands S3 whole files pays for that.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.session import Session

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


@cache
def session() -> Session:
    """Who the function is, and what has been read of the services' descriptions: one for all clients."""
    return Session()


def dynamodb() -> DynamoDBClient:
    """A client for the ledger's table."""
    client: DynamoDBClient = _client("dynamodb", _CONFIG)
    return client


def scheduler() -> Any:
    """A client for the schedules of sagas that expire."""
    return _client("scheduler", _CONFIG)


def stepfunctions() -> SFNClient:
    """A client for the state machines."""
    client: SFNClient = _client("stepfunctions", _CONFIG)
    return client


def parameters() -> Any:
    """A client for the parameters that hold targets and grants."""
    return _client("ssm", _CONFIG)


def secrets() -> Any:
    """A client for the passwords of private clusters."""
    return _client("secretsmanager", _CONFIG)


def trace_headers() -> Any:
    """A client for the secret that traces are sent with: a step that has done its work hardly waits for it."""
    hasty = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
    return _client("secretsmanager", hasty)


def queue() -> SQSClient:
    """A client for the queue of a cluster; a call that waits for messages waits for at most twenty seconds."""
    client: SQSClient = _client("sqs", _SYNCHRONOUS.merge(Config(read_timeout=30)))
    return client


def queues() -> SQSClient:
    """A client that asks how full queues are."""
    client: SQSClient = _client("sqs", _CONFIG)
    return client


def storage() -> S3Client:
    """A client for the bucket that costs are kept in; a page or a window may be large."""
    import boto3  # noqa: PLC0415 -- its transfer manager sends what is large in parts

    return boto3.client("s3", config=_CONFIG.merge(Config(read_timeout=60)))


def functions() -> Any:
    """A client for functions that are called while somebody waits."""
    return _client("lambda", _SYNCHRONOUS)


def athena() -> AthenaClient:
    """A client for questions about costs; the waiting between its calls is ours."""
    config = _CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 2}))
    client: AthenaClient = _client("athena", config)
    return client


def events() -> Any:
    """A client for the account's own event bus."""
    return _client("events", _CONFIG)


def _client(service: str, config: Config) -> Any:
    return session().create_client(service, config=config)
