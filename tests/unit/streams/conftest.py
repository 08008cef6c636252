"""A stage per test, each with an account of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.aws.account import create_app
from local.aws.clients import create_client
from local.clock import VirtualClock
from local.http_server import serve
from tests.unit.streams.stage import Stage


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = VirtualClock()
    with serve(create_app(clock), name="account") as server:
        yield Stage(clock, create_client("dynamodb", server.url, "us-east-1"))
