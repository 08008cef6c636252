"""A local account behind HTTP, on a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.aws.account import create_app
from local.clock import VirtualClock
from local.http_server import serve


@dataclass
class Account:
    url: str
    clock: VirtualClock

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )


@pytest.fixture
def account() -> Iterator[Account]:
    clock = VirtualClock()
    server = serve(create_app(clock, sleep=clock.advance), name="account")
    yield Account(server.url, clock)
    server.close()
