"""boto3 clients of the local account; any credentials do, and nothing here is a secret."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config

from local.aws.in_process import answer_here

_one_at_a_time = Lock()  # clients may be shared between threads, the session that makes them may not

READ_SECONDS = 300  # a stack is done when the call that asks for it returns


def create_client(service: str, endpoint: str, region: str) -> Any:
    """A client of `service` at `endpoint` that asks once, path-style for S3.

    What this process serves itself is asked without a socket.
    """
    config = Config(
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        retries={"total_max_attempts": 1},
        read_timeout=READ_SECONDS,
    )
    with _one_at_a_time:
        client = _session().client(service, region_name=region, endpoint_url=endpoint, config=config)
    client.meta.events.register("before-send", answer_here)
    return client


@cache
def _session() -> Any:
    # One for the process: it keeps the service descriptions, which take longer to read than most stacks to deploy.
    return boto3.Session(aws_access_key_id="local", aws_secret_access_key="local")  # noqa: S106
